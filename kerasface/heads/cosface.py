"""CosFace: an additive margin on the cosine."""

from kerasface.heads._registry import heads
from kerasface.heads.base import MarginHead
from kerasface.heads.checks import check_number

__all__ = ["CosFace"]


@heads.register("cosface")
class CosFace(MarginHead):
    """Large-margin cosine head (CosFace, LMCL, AM-softmax).

    The target's logit is `scale · (cos θ_y − margin)`, every other `scale · cos θ_j`, so that a face must be nearer to
    its own prototype than to any other by `margin` in cosine, at every angle.

    Args:
        num_classes: C, the number of training identities.
        scale: radius of the hypersphere; 64 as in the paper's large-data setting.
        margin: in cosine, [0, 1). 0.35 is the paper's best on CASIA-WebFace; above 0.45 it did not converge there.
        **options: see `MarginHead` (initializer, dtype, detach_margin).

    Call arguments:
        embeddings: (B, D) float, any norm.
        labels: (B,) int in [0, C); leave out at inference for plain scaled cosines.

    Returns:
        (B, C) float32 logits.

    Example:
        >>> logits = CosFace(10_572, margin=0.35)(embeddings, labels)

    Reference:
        Wang et al., CosFace, CVPR 2018, eq. 4.
    """

    def __init__(self, num_classes, *, scale=64.0, margin=0.35, **options):
        super().__init__(num_classes, scale=scale, **options)
        self.margin = check_number("margin", margin, low=0.0, high=1.0)

    def adjust_target(self, cosine, norm):
        """cos θ_y − m."""
        return cosine - self.margin

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        return {**super().get_config(), "margin": self.margin}
