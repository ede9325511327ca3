"""Unit vectors, safe square roots and ψ: the mathematics that heads share, exact in value and finite in gradient."""

from keras import ops

__all__ = ["SHORTEST", "entries", "in_range", "nan_outside", "psi", "safe_sqrt", "unit_rows", "with_target"]

# Shorter embeddings have no direction that float32 could tell; they count as orthogonal to every prototype.
SHORTEST = 1e-6


def unit_rows(x):
    """Rows of length one, and their lengths.

    Args:
        x: (N, D) float tensor.

    Returns:
        `(x / ‖x‖, ‖x‖)`, shapes (N, D) and (N,). A row shorter than 1e-6 becomes zeros, its length 0, and no gradient
        flows into it: dividing by its length would send 1e6 and more back into a float16 network.
    """
    squares = ops.sum(ops.square(x), axis=-1, keepdims=True)
    # Written so that a NaN counts as long: it must come out as NaN, not as a quiet zero.
    long_enough = ops.logical_not(squares <= SHORTEST**2)
    # Both branches of a `where` are differentiated, so the square root must not see a zero either.
    lengths = ops.sqrt(ops.where(long_enough, squares, ops.ones_like(squares)))
    unit = ops.where(long_enough, x / lengths, ops.zeros_like(x))
    return unit, ops.squeeze(ops.where(long_enough, lengths, ops.zeros_like(lengths)), axis=-1)


def entries(matrix, columns):
    """Takes one entry a row: matrix[b, columns[b]]; (B, C) float and (B,) int to (B,)."""
    return ops.squeeze(ops.take_along_axis(matrix, columns[:, None], axis=1), axis=1)


def in_range(labels, num_classes):
    """Labels as int32, forced into [0, num_classes) so that they can be gathered with."""
    return ops.clip(ops.cast(labels, "int32"), 0, num_classes - 1)


def nan_outside(target, labels, num_classes):
    """`target` (B,), NaN where the label is not in [0, num_classes)."""
    inside = (labels >= 0) & (labels < num_classes)
    return ops.where(inside, target, ops.full_like(target, float("nan")))


def with_target(values, labels, target):
    """`values` (B, C) with `target` (B,) in column `labels`; a row whose label is out of range becomes NaN there."""
    num_classes = values.shape[-1]
    target = nan_outside(target, labels, num_classes)
    columns = ops.arange(num_classes, dtype="int32")
    return ops.where(columns[None, :] == in_range(labels, num_classes)[:, None], target[:, None], values)


def safe_sqrt(x):
    """Square root whose derivative at 0 is 0 instead of infinite; `x` must not be negative."""
    positive = x > 0
    return ops.where(positive, ops.sqrt(ops.where(positive, x, ops.ones_like(x))), ops.zeros_like(x))


def psi(cosine, m):
    """ψ(θ) = (−1)^k cos(mθ) − 2k with k = ⌊mθ/π⌋, by the sign trick: no arccos, exact in any precision.

    Args:
        cosine: cos θ in [-1, 1], any shape.
        m: 1, 2, 3 or 4.

    Returns:
        ψ, same shape; it falls monotonely in θ from 1 to 1 − 2m.

    Reference:
        Liu et al., SphereFace, CVPR 2017, eq. 7; the signs s0…s4 as in the authors' margin_inner_product layer.
    """
    # sgn(0) = 0 is right at every edge: both branches meet there (s times a Chebyshev polynomial that is 0 or ±1).
    if m == 1:
        return cosine
    sign_0 = ops.sign(cosine)
    square = ops.square(cosine)
    if m == 2:
        return 2.0 * sign_0 * square - 1.0
    if m == 3:
        sign_1 = ops.sign(ops.abs(cosine) - 0.5)
        sign_2 = sign_0 * (1.0 + sign_1) - 2.0
        return sign_1 * cosine * (4.0 * square - 3.0) + sign_2
    if m == 4:
        sign_3 = sign_0 * ops.sign(2.0 * square - 1.0)
        sign_4 = 2.0 * sign_0 + sign_3 - 3.0
        return sign_3 * (8.0 * square * (square - 1.0) + 1.0) + sign_4
    raise ValueError(f"m must be 1, 2, 3 or 4: ψ by the sign trick has no other. Received: m={m!r}")
