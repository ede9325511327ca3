"""InputClock: how long a training waits for its input."""

import tensorflow as tf

__all__ = ["InputClock"]


class InputClock:
    """Counts the seconds between the moment a step asks for its batch and the moment it has it.

    Where input is made faster than steps are, batches lie ready and it stands still.

    Args:
        now: function without arguments to a float64 tensor, the time in seconds.

    Example:
        >>> clock = InputClock()
        >>> model.fit(clock.watch(batches(faces, batch_size=64, seed=0, size=(112, 112), last_step=210)))
        >>> clock.waited_seconds
        1.7
    """

    def __init__(self, now=tf.timestamp):
        self.now = now
        self.waited_seconds = 0.0

    def watch(self, stream):
        """Returns the same stream, watched: whatever it does in advance must be behind it, as its own prefetching is.

        Args:
            stream: `tf.data.Dataset`; nothing between it and the step may fetch in advance, as distribution does.
        """
        clock = tf.data.Dataset.range(1).repeat().map(lambda _: self.now())
        # A zip asks one after the other: the clock, the stream, and the clock again.
        watched = tf.data.Dataset.zip(clock, stream, clock).map(self._count)
        options = tf.data.Options()
        options.experimental_optimization.inject_prefetch = False
        return watched.with_options(options)

    def _count(self, before, batch, after):
        with tf.control_dependencies([tf.numpy_function(self._add, [after - before], tf.int64)]):
            return tf.nest.map_structure(tf.identity, batch)

    def _add(self, seconds):
        self.waited_seconds += float(seconds)
        return 0
