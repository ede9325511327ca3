"""Filling a large tensor by blocks of rows, in place where the backend would copy all of it for each block."""

from keras import backend, ops

__all__ = ["add_to_rows", "unfilled", "write_rows"]


def unfilled(shape, dtype):
    """A tensor for `write_rows` to fill; every row must be written before it is read."""
    if backend.backend() == "tensorflow":
        import tensorflow as tf

        # Not zeros: TensorFlow would fold those into a constant of the graph, and in-place writes into that would
        # still be seen in the next call.
        return tf.raw_ops.Empty(shape=shape, dtype=dtype)
    return ops.zeros(shape, dtype)


def write_rows(matrix, start, rows):
    """`matrix` with `rows` from row `start` on; nothing else may use `matrix` afterwards.

    XLA, which is all of JAX, updates a slice in place by itself. TensorFlow's own executor copies the whole tensor: at
    85,742 prototypes that is 175 MB a block, two thirds of what the matrix products take.
    """
    if backend.backend() == "tensorflow" and not _traced_for_xla():
        import tensorflow as tf

        return tf.raw_ops.InplaceUpdate(x=matrix, i=tf.range(start, start + tf.shape(rows)[0]), v=rows)
    return ops.slice_update(matrix, (start, *[0] * (len(rows.shape) - 1)), rows)


def add_to_rows(matrix, places, rows):
    """`matrix` with `rows` (B, D) added to its rows at `places` (B,), which may repeat; else as `write_rows`."""
    if backend.backend() == "tensorflow" and not _traced_for_xla():
        import tensorflow as tf

        # A GPU adds rows without waiting for each other: two for one place, two photos of a person, would lose one.
        different, order = tf.unique(places)
        sums = tf.math.unsorted_segment_sum(rows, order, tf.size(different))
        return tf.raw_ops.InplaceAdd(x=matrix, i=different, v=sums)
    return ops.scatter_update(matrix, places[:, None], rows, reduction="add")


def _traced_for_xla():
    import tensorflow as tf

    try:
        from tensorflow.python.ops import control_flow_util

        return control_flow_util.GraphOrParentsInXlaContext(tf.compat.v1.get_default_graph())
    except (ImportError, AttributeError):  # not public: without it, copying is right everywhere
        return True
