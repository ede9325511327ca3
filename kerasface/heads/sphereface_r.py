"""SphereFace-R: the multiplicative margin cut off at π, or given to the other classes instead."""

import math

from keras import ops

from kerasface.heads._registry import heads
from kerasface.heads.angles import angle_of, straight_through
from kerasface.heads.base import MarginHead
from kerasface.heads.checks import check_number

__all__ = ["SphereFaceR"]


@heads.register("sphereface_r")
class SphereFaceR(MarginHead):
    """SphereFace Revived: two more ways to multiply an angle.

    * version 1: the target's logit is `scale · cos(min(m θ_y, π))`, every other `scale · cos θ_j`;
    * version 2: the target's is `scale · cos θ_y`, every other `scale · cos(θ_j / m)`. Every class's angle is needed
      here, so it costs an arctangent for each of the B · C entries.

    The loss is the cross-entropy times `loss_weight / scale`, as in the authors' code: it keeps the gradient's size,
    and with it the balance against weight decay, the same for every scale. Logits are not weighted.

    Args:
        num_classes: C, the number of training identities.
        scale: radius of the hypersphere; 30 in the authors' code. Their released version 2 recipe has 60.
        margin: m ≥ 1, any real number; 1.5 in the authors' code. Their released version 2 recipe has 1.4.
        version: 1 or 2.
        loss_weight: the authors' `lw`, 50: the loss is multiplied by 50 / 30 at the default scale. Give the scale's own
            value for the plain cross-entropy.
        detach_margin: True by default, unlike most heads: it is part of the paper's method ("characteristic gradient
            detachment"), and past m θ_y = π the true gradient of version 1 is zero, for just the faces that are
            furthest away. In version 2 it holds for the other classes too. False: the true gradient.
        **options: see `MarginHead` (initializer, dtype).

    Call arguments:
        embeddings: (B, D) float, any norm.
        labels: (B,) int in [0, C); leave out at inference for plain scaled cosines.

    Returns:
        (B, C) float32 logits.

    Raises:
        ValueError: a version other than 1 and 2.

    Example:
        >>> head = SphereFaceR(8_631, scale=60.0, margin=1.4, version=2)
        >>> losses = head.loss(embeddings, labels)

    Reference:
        Liu et al., SphereFace Revived, TPAMI 2022; constants: `SphereFaceR_H` of the authors' OpenSphere code.
    """

    def __init__(
        self, num_classes, *, scale=30.0, margin=1.5, version=1, loss_weight=50.0, detach_margin=True, **options
    ):
        if scale is None:
            raise ValueError("SphereFaceR divides its loss by the scale. Received: scale=None")
        super().__init__(num_classes, scale=scale, detach_margin=detach_margin, **options)
        if version not in (1, 2):
            raise ValueError(f"version must be 1 or 2. Received: version={version!r}")
        self.margin = check_number("margin", margin, low=1.0)
        self.version = version
        self.loss_weight = check_number("loss_weight", loss_weight, low=0.0)

    def loss_among(self, embeddings, class_weights, labels, training):
        """The base's losses times loss_weight / scale."""
        losses = super().loss_among(embeddings, class_weights, labels, training)
        return losses * (self.loss_weight / self.scale)

    def adjust_target(self, cosine, norm):
        """cos(min(mθ, π)) in version 1."""
        if self.version == 2:
            return cosine
        return ops.cos(ops.minimum(self.margin * angle_of(cosine), math.pi))

    def adjust_others(self, cosines, target):
        """cos(θ/m) in version 2."""
        if self.version == 1:
            return cosines
        values = ops.cos(angle_of(cosines) / self.margin)
        return straight_through(values, cosines) if self.detach_margin else values

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        return {
            **super().get_config(),
            "margin": self.margin,
            "version": self.version,
            "loss_weight": self.loss_weight,
        }
