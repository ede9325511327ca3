"""Sub-center ArcFace: several prototypes a class, of which the nearest counts."""

from kerasface.heads._registry import heads
from kerasface.heads.arcface import ArcFace
from kerasface.heads.checks import check_number

__all__ = ["SubCenterArcFace"]


@heads.register("subcenter_arcface")
class SubCenterArcFace(ArcFace):
    """ArcFace with K sub-centres a class.

    cos θ_j = max_k cos θ_jk; the rest is ArcFace. A face need only be near one of its class's sub-centres, so wrong
    labels and odd photos gather at one of their own instead of pulling at the class's prototype.

    Args:
        num_classes: C, the number of training identities.
        centers: K, sub-centres a class; 3 in the paper. 1 is ArcFace.
        scale: radius of the hypersphere; 64 in the paper.
        margin: in radians, [0, π/2); 0.5 in the paper.
        **options: see `ArcFace` and `MarginHead` (easy_margin, initializer, dtype, detach_margin).

    Call arguments:
        embeddings: (B, D) float, any norm.
        labels: (B,) int in [0, C); leave out at inference for plain scaled cosines.

    Returns:
        (B, C) float32 logits.

    Raises:
        ValueError: centers < 1.

    Example:
        >>> head = SubCenterArcFace(85_742, centers=3)
        >>> logits = head(embeddings, labels)  # head.prototypes: (85742, 3, D)

    Reference:
        Deng et al., Sub-center ArcFace, ECCV 2020, section 3.2.
    """

    def __init__(self, num_classes, *, centers=3, scale=64.0, margin=0.5, **options):
        super().__init__(num_classes, scale=scale, margin=margin, **options)
        self.centers = int(check_number("centers", centers, low=1))

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        return {**super().get_config(), "centers": self.centers}
