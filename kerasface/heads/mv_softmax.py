"""MV-Softmax: classes that a face is mistaken for weigh more."""

import math

from keras import ops

from kerasface.heads._registry import heads
from kerasface.heads.angles import add_to_angle
from kerasface.heads.base import MarginHead
from kerasface.heads.checks import check_number

__all__ = ["MVSoftmax"]

# Where each kind's margin may lie: an angle in radians, a cosine.
_HIGHEST = {"arc": math.pi / 2, "am": 1.0}


@heads.register("mv_softmax")
class MVSoftmax(MarginHead):
    """Mis-classified vector guided head, over ArcFace's or CosFace's margin.

    A class j ≠ y is hard for a face when cos θ_j exceeds the target's value; its logit then is
    `scale · (t cos θ_j + t − 1)`, larger than the `scale · cos θ_j` of the easy ones. The target's value is

    * "arc": cos(θ_y + m) where cos θ_y > 0, else cos θ_y;
    * "am": cos θ_y − m where cos θ_y > m, else cos θ_y.

    Both the target's and a hard class's logit jump where they change over, by design. A class is compared with the
    value that the target really has. The published code compares with cos(θ_y + m) or cos θ_y − m even where the target
    has no margin, which calls more classes hard for faces that are far from their own.

    Args:
        num_classes: C, the number of training identities.
        scale: radius of the hypersphere; 64 as in the other heads, 32 in the authors' code.
        margin: m: in radians, [0, π/2), for "arc"; in cosine, [0, 1), for "am", where the authors' code has 0.35.
        t: ≥ 1, how much more hard classes weigh; 1 is ArcFace or CosFace with the gating above.
        kind: "arc" or "am".
        **options: see `MarginHead` (initializer, dtype, detach_margin).

    Call arguments:
        embeddings: (B, D) float, any norm.
        labels: (B,) int in [0, C); leave out at inference for plain scaled cosines.

    Returns:
        (B, C) float32 logits.

    Raises:
        ValueError: an unknown kind.

    Example:
        >>> logits = MVSoftmax(72_690, margin=0.35, kind="am")(embeddings, labels)

    Reference:
        Wang et al., Mis-classified Vector Guided Softmax Loss for Face Recognition, AAAI 2020, the adaptive weight. The
        target's gates: FaceX-Zoo's code; the first author's own opens "am" at cos θ_y > 0.
    """

    def __init__(self, num_classes, *, scale=64.0, margin=0.5, t=1.2, kind="arc", **options):
        super().__init__(num_classes, scale=scale, **options)
        if kind not in _HIGHEST:
            raise ValueError(f'kind must be "arc" or "am". Received: kind={kind!r}')
        self.margin = check_number("margin", margin, low=0.0, high=_HIGHEST[kind])
        self.t = check_number("t", t, low=1.0)
        self.kind = kind

    def adjust_target(self, cosine, norm):
        """cos(θ_y + m) or cos θ_y − m, where that is still of use."""
        if self.kind == "arc":
            return ops.where(cosine > 0.0, add_to_angle(cosine, self.margin), cosine)
        return ops.where(cosine > self.margin, cosine - self.margin, cosine)

    def adjust_others(self, cosines, target):
        """t cos θ_j + t − 1 for hard classes."""
        return ops.where(cosines > target[:, None], self.t * cosines + (self.t - 1.0), cosines)

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        return {**super().get_config(), "margin": self.margin, "t": self.t, "kind": self.kind}
