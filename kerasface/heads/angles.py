"""Angles of cosines and back, exact in value and finite in gradient."""

import math

from keras import ops

from kerasface.heads.geometry import safe_sqrt

__all__ = ["add_to_angle", "angle_of", "falling_cos", "sine_of", "straight_through"]


def sine_of(cosine):
    """sin θ of θ in [0, π] from cos θ, with a derivative of 0 instead of ∓∞ at ±1."""
    # (1 − c)(1 + c) keeps the digits that 1 − c² loses near c = ±1.
    return safe_sqrt((1.0 - cosine) * (1.0 + cosine))


def angle_of(cosine):
    """θ = arccos(cosine), with a derivative of 0 instead of −∞ at ±1.

    Args:
        cosine: cos θ in [-1, 1], any shape. What rounding leaves beyond ±1 counts as ±1; a NaN gives NaN.

    Returns:
        θ in radians, [0, π], same shape.
    """
    return ops.arctan2(sine_of(cosine), cosine)


def add_to_angle(cosine, margin):
    """cos(θ + margin), and where θ + margin passes π, cos θ − margin · sin(margin): ArcFace's target.

    Args:
        cosine: cos θ in [-1, 1], any shape.
        margin: in radians, [0, π), a number or a tensor like `cosine`.

    Returns:
        same shape as `cosine`.

    Reference:
        Deng et al., ArcFace, CVPR 2019, eq. 3; beyond π: the authors' published code.
    """
    margin = ops.convert_to_tensor(margin, dtype=cosine.dtype)
    shifted = cosine * ops.cos(margin) - sine_of(cosine) * ops.sin(margin)
    return ops.where(cosine > -ops.cos(margin), shifted, cosine - margin * ops.sin(margin))


def falling_cos(angles):
    """cos, continued past π so that it goes on falling: (−1)^k cos(a) − 2k with k = ⌊a/π⌋.

    With a = mθ it is ψ(θ) of SphereFace for any real m ≥ 1.

    Args:
        angles: a ≥ 0 in radians, any shape.

    Returns:
        same shape; 1 at 0, −1 at π, −3 at 2π.

    Reference:
        Liu et al., SphereFace, CVPR 2017, eq. 7.
    """
    # Which of two branches an angle at kπ falls into doesn't matter: both give 1 − 2k there.
    k = ops.stop_gradient(ops.floor(angles / math.pi))
    return (1.0 - 2.0 * ops.mod(k, 2.0)) * ops.cos(angles) - 2.0 * k


def straight_through(values, cosines):
    """`values` with the slope of `cosines`: the margin's shift counts as a constant (see `detach_margin`)."""
    return cosines + ops.stop_gradient(values - cosines)
