"""Run as a program: writes checkpoints in an endless loop and is killed in the middle of it, several times."""

import os
import signal
import sys
import time
from pathlib import Path

import keras

from kerasface.training.run.checkpoints import Checkpoints


def write_forever(folder):
    model = keras.Sequential([keras.Input((600,)), keras.layers.Dense(600), keras.layers.Dense(600)])
    checkpoints, step = Checkpoints(folder), 0
    parent = os.getppid()
    while os.getppid() == parent:
        step += 1
        for weight in model.weights:
            weight.assign(keras.ops.full(weight.shape, step))
        checkpoints.write(model, {"step": step})


def kill_while_writing(folder, seconds):
    # A fork instead of a program of its own saves importing TensorFlow each time; this process runs none of it.
    child = os.fork()
    if child == 0:
        write_forever(folder)
    while len(list(folder.glob("step_*"))) < 2:
        if os.waitpid(child, os.WNOHANG) != (0, 0):
            sys.exit("the writer died before it was killed")
        time.sleep(0.002)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


if __name__ == "__main__":
    for attempt in range(6):
        kill_while_writing(Path(sys.argv[1]) / str(attempt), seconds=0.013 * attempt)
