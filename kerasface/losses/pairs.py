"""Pairs within a batch: which are of one person, how far apart they are, and means over some of them."""

from keras import ops

from kerasface.heads.geometry import unit_rows

__all__ = ["masked_mean", "pair_cosines", "pair_masks"]


def pair_masks(labels):
    """Which pairs of a batch are of one person and which of two.

    Args:
        labels: (B,) int.

    Returns:
        `(positive, negative)`, bool (B, B) each; a photo makes no pair with itself.
    """
    same = labels[:, None] == labels[None, :]
    rows = ops.arange(ops.shape(labels)[0])
    return same & (rows[:, None] != rows[None, :]), ops.logical_not(same)


def pair_cosines(embeddings):
    """cos of the angle between any two embeddings; (B, D) of any norm to (B, B)."""
    unit = unit_rows(embeddings)[0]
    return ops.clip(ops.matmul(unit, ops.transpose(unit)), -1.0, 1.0)


def masked_mean(values, mask):
    """Mean over each row's entries where `mask` is True, 0 where there are none; (B, B) and (B, B) to (B,)."""
    count = ops.sum(ops.cast(mask, values.dtype), axis=-1)
    total = ops.sum(ops.where(mask, values, ops.zeros_like(values)), axis=-1)
    return total / ops.maximum(count, 1.0)
