"""Run as a program with RECIPE DATA OUT: trains under the mirrored strategy on two virtual CPUs, then the end again."""

import shutil
import sys
from pathlib import Path

import tensorflow as tf
from rich.console import Console

from kerasface.training import Recipe, train

if __name__ == "__main__":
    recipe, data, out = sys.argv[1:]
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    recipe = Recipe.read(recipe, ["strategy.name=mirrored"])
    whole, again = Path(out) / "whole", Path(out) / "again"
    train(recipe, data, whole, console=Console(quiet=True))
    shutil.copytree(whole, again)
    shutil.rmtree(sorted((again / "checkpoints").iterdir())[-1])
    train(recipe, data, again, resume=True, console=Console(quiet=True))
