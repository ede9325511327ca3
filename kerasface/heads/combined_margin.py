"""Combined margin: SphereFace's, ArcFace's and CosFace's margins in one."""

import math

from kerasface.heads._registry import heads
from kerasface.heads.angles import angle_of, falling_cos
from kerasface.heads.base import MarginHead
from kerasface.heads.checks import check_number

__all__ = ["CombinedMargin"]


@heads.register("combined_margin")
class CombinedMargin(MarginHead):
    """Head with a multiplied angle, an added angle and a subtracted cosine.

    The target's logit is `scale · (cos(m1 θ_y + m2) − m3)`, every other `scale · cos θ_j`. Where m1 θ_y + m2 passes π,
    cos would rise again; it is continued as ψ is, by (−1)^k cos(·) − 2k with k = ⌊(m1 θ_y + m2) / π⌋, so that the
    target's logit falls over all of [0, π]. The authors' code lets it rise there.

    Args:
        num_classes: C, the number of training identities.
        scale: radius of the hypersphere; 64 in the paper.
        m1: factor of the angle, > 0; 1 leaves it alone.
        m2: added to the angle, in radians, [0, π/2).
        m3: subtracted from the cosine, [0, 1). Published: (1, 0.3, 0.2), the default, and (0.9, 0.4, 0.15).
        **options: see `MarginHead` (initializer, dtype, detach_margin).

    Call arguments:
        embeddings: (B, D) float, any norm.
        labels: (B,) int in [0, C); leave out at inference for plain scaled cosines.

    Returns:
        (B, C) float32 logits.

    Example:
        >>> logits = CombinedMargin(85_742, m1=0.9, m2=0.4, m3=0.15)(embeddings, labels)

    Reference:
        Deng et al., ArcFace, CVPR 2019, eq. 4 (CM1 and CM2 of its table 2).
    """

    def __init__(self, num_classes, *, scale=64.0, m1=1.0, m2=0.3, m3=0.2, **options):
        super().__init__(num_classes, scale=scale, **options)
        self.m1 = check_number("m1", m1, low=1e-6)
        self.m2 = check_number("m2", m2, low=0.0, high=math.pi / 2)
        self.m3 = check_number("m3", m3, low=0.0, high=1.0)

    def adjust_target(self, cosine, norm):
        """cos(m1 θ_y + m2) − m3, continued past π."""
        return falling_cos(self.m1 * angle_of(cosine) + self.m2) - self.m3

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        return {**super().get_config(), "m1": self.m1, "m2": self.m2, "m3": self.m3}
