"""What replicas tell each other under tf.distribute, so that a global batch trains as on one device.

Everywhere else, on one device and on JAX or torch, these functions give back what they get.
"""

from keras import backend, ops

__all__ = ["across", "every_replicas", "own_part", "replica_count"]


def replica_count():
    """How many replicas take part in this step."""
    context = _context()
    return 1 if context is None else context.num_replicas_in_sync


def across(tensor):
    """Sum of the replicas' tensors, without a gradient."""
    context = _context()
    if context is None:
        return tensor
    return context.all_reduce("SUM", ops.stop_gradient(tensor))


def every_replicas(tensor):
    """The replicas' tensors (B, …) one below the other, (R · B, …), in the order of the global batch.

    Gradients come back to the replica that owns the row, summed over the replicas that used it.
    """
    context = _context()
    if context is None:
        return tensor
    # What comes straight out of the input has no device, which tf.distribute asks it for.
    gathered = context.all_gather(ops.copy(tensor), axis=0)
    rows = tensor.shape[0] and tensor.shape[0] * context.num_replicas_in_sync
    gathered.set_shape((rows, *tensor.shape[1:]))
    return gathered


def own_part(tensor, own):
    """This replica's rows of what was computed for all.

    Args:
        tensor: (R · B, …), or in an epoch's last batch the sum of as many rows as each replica has.
        own: (B, …), this replica's tensor, which says how many rows are its own.
    """
    context = _context()
    if context is None:
        return tensor
    number, size = context.replica_id_in_sync_group, ops.shape(own)[0]
    if own.shape[0] is not None:  # every replica has as many
        return tensor[number * size : (number + 1) * size]
    sizes = context.all_gather(ops.reshape(size, (1,)), axis=0)
    start = ops.sum(sizes[:number])
    return tensor[start : start + size]


def _context():
    """The replica context of a step that several replicas run, or None."""
    if backend.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    return context if context is not None and context.num_replicas_in_sync > 1 else None
