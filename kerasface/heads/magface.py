"""MagFace: the longer the embedding, the larger its margin."""

import math

from keras import ops

from kerasface.heads._registry import heads
from kerasface.heads.angles import add_to_angle
from kerasface.heads.base import MarginHead
from kerasface.heads.checks import check_number

__all__ = ["MagFace"]


@heads.register("magface")
class MagFace(MarginHead):
    """ArcFace with a margin that grows with the embedding's length, so that length comes to mean quality.

    With a = ‖x‖ clipped to [lower_norm, upper_norm] = [l, u], the target's logit is `scale · cos(θ_y + m(a))`,
    m(a) linear from lower_margin at l to upper_margin at u, and each sample's loss gets
    `penalty_weight · (1/a + a/u²)`, which rewards length. Easy faces grow long, and hard ones stay short.

    Outside [l, u] neither the margin nor the penalty sends a gradient to the length, as in the authors' code: nothing
    pulls a shorter embedding up, so a network that starts far below l (look at its first norms) should be given limits
    that fit it.

    Args:
        num_classes: C, the number of training identities.
        scale: radius of the hypersphere; 64 in the paper.
        lower_norm, upper_norm: l and u, 10 and 110 in the paper.
        lower_margin, upper_margin: m(l) and m(u) in radians, [0, π/2); 0.45 and 0.8 in the authors' code.
        penalty_weight: λ_g, 35 in the paper. Below s·K·u²l²/(u² − l²), K the margin's slope in a (22.6 at the
            defaults), the best length isn't sure to be a single one.
        easy_margin: targets at 90° and more keep their plain cosine, with a jump at 90°; the authors' default. False:
            ArcFace's continuation past π.
        **options: see `MarginHead` (initializer, dtype, detach_margin).

    Call arguments:
        embeddings: (B, D) float; their length is used.
        labels: (B,) int in [0, C); leave out at inference for plain scaled cosines.

    Returns:
        (B, C) float32 logits. The penalty is in `loss` alone.

    Raises:
        ValueError: limits that are not in order.

    Example:
        >>> losses = MagFace(85_742).loss(embeddings, labels)

    Reference:
        Meng et al., MagFace, CVPR 2021, section 3.2; λ_g: its supplement; limits and easy_margin: the
        authors' published code.
    """

    def __init__(
        self,
        num_classes,
        *,
        scale=64.0,
        lower_norm=10.0,
        upper_norm=110.0,
        lower_margin=0.45,
        upper_margin=0.8,
        penalty_weight=35.0,
        easy_margin=True,
        **options,
    ):
        super().__init__(num_classes, scale=scale, **options)
        self.lower_norm = float(check_number("lower_norm", lower_norm, low=1e-6))
        self.upper_norm = float(upper_norm)
        if not self.upper_norm > self.lower_norm:
            raise ValueError(f"upper_norm must be more than lower_norm={lower_norm}. Received: upper_norm={upper_norm}")
        self.lower_margin = float(check_number("lower_margin", lower_margin, low=0.0, high=math.pi / 2))
        self.upper_margin = float(check_number("upper_margin", upper_margin, low=self.lower_margin, high=math.pi / 2))
        self.penalty_weight = float(check_number("penalty_weight", penalty_weight, low=0.0))
        self.easy_margin = bool(easy_margin)

    def adjust_target(self, cosine, norm):
        """cos(θ_y + m(a))."""
        slope = (self.upper_margin - self.lower_margin) / (self.upper_norm - self.lower_norm)
        margin = self.lower_margin + slope * (self._clipped(norm) - self.lower_norm)
        shifted = add_to_angle(cosine, margin)
        return ops.where(cosine > 0.0, shifted, cosine) if self.easy_margin else shifted

    def penalty(self, norm):
        """λ_g (1/a + a/u²): smallest at a = u."""
        length = self._clipped(norm)
        return self.penalty_weight * (1.0 / length + length / self.upper_norm**2)

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        return {
            **super().get_config(),
            "lower_norm": self.lower_norm,
            "upper_norm": self.upper_norm,
            "lower_margin": self.lower_margin,
            "upper_margin": self.upper_margin,
            "penalty_weight": self.penalty_weight,
            "easy_margin": self.easy_margin,
        }

    def _clipped(self, norm):
        return ops.clip(norm, self.lower_norm, self.upper_norm)
