"""ArcFace: an additive margin on the angle."""

import math

from keras import ops

from kerasface.heads._registry import heads
from kerasface.heads.angles import add_to_angle
from kerasface.heads.base import MarginHead
from kerasface.heads.checks import check_number

__all__ = ["ArcFace"]


@heads.register("arcface")
class ArcFace(MarginHead):
    """Additive angular margin head.

    The target's logit is `scale · cos(θ_y + margin)`, written as cos θ cos m − sin θ sin m: no arccos. Where θ_y + m
    passes π, cos would rise again; there the published code goes on with `cos θ_y − margin · sin(margin)`, and so does
    this one (with a small step at θ = π − m, downwards in θ). `easy_margin` applies the margin only where cos θ_y > 0
    and jumps there, by design.

    Args:
        num_classes: C, the number of training identities.
        scale: radius of the hypersphere; 64 in the paper. Small data wants 16 to 32.
        margin: in radians, [0, π/2); 0.5 (28.6°) in the paper. When training doesn't start to converge, begin with 0.2.
        easy_margin: leave targets at 90° and more without a margin.
        **options: see `MarginHead` (initializer, dtype, detach_margin).

    Call arguments:
        embeddings: (B, D) float, any norm.
        labels: (B,) int in [0, C); leave out at inference for plain scaled cosines.

    Returns:
        (B, C) float32 logits.

    Example:
        >>> logits = ArcFace(85_742, scale=64.0, margin=0.5)(embeddings, labels)

    Reference:
        Deng et al., ArcFace, CVPR 2019, eq. 3; beyond π and `easy_margin`: the authors' published code.
    """

    def __init__(self, num_classes, *, scale=64.0, margin=0.5, easy_margin=False, **options):
        super().__init__(num_classes, scale=scale, **options)
        self.margin = check_number("margin", margin, low=0.0, high=math.pi / 2)
        self.easy_margin = bool(easy_margin)

    def adjust_target(self, cosine, norm):
        """cos(θ_y + m), continued past π."""
        shifted = add_to_angle(cosine, self.margin)
        return ops.where(cosine > 0.0, shifted, cosine) if self.easy_margin else shifted

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        return {**super().get_config(), "margin": self.margin, "easy_margin": self.easy_margin}
