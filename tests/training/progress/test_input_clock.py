"""The clock counts what a step waits for, and nothing else."""

import numpy as np
import tensorflow as tf

from kerasface.training.progress.input_clock import InputClock


class Time:
    """Seconds that pass only where somebody lets them."""

    def __init__(self):
        self.seconds = 0.0

    def passes(self, seconds):
        self.seconds += seconds

    def now(self):
        return tf.numpy_function(lambda: np.float64(self.seconds), [], tf.float64)


def test_the_stream_is_the_same_and_its_making_is_counted():
    time = Time()
    clock = InputClock(time.now)

    def made(number):
        def pass_time(number):
            time.passes(7.0)
            return number

        return tf.numpy_function(pass_time, [number], tf.int64), {"label": number * 10}

    stream = tf.data.Dataset.range(4).map(made)
    seen = []
    for number, target in clock.watch(stream):
        time.passes(100.0)  # the step itself
        seen.append((int(number), int(target["label"])))
        assert clock.waited_seconds == 7.0 * len(seen)
    assert seen == [(0, 0), (1, 10), (2, 20), (3, 30)]


def test_the_clock_itself_is_in_seconds():
    def made(number):
        def wait(number):
            import time

            time.sleep(0.02)
            return number

        return tf.numpy_function(wait, [number], tf.int64)

    clock = InputClock()
    assert [int(number) for number in clock.watch(tf.data.Dataset.range(3).map(made))] == [0, 1, 2]
    assert clock.waited_seconds >= 0.06
