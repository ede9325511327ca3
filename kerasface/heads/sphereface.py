"""SphereFace with any real margin m ≥ 1, on normalised features."""

from kerasface.heads._registry import heads
from kerasface.heads.angles import angle_of, falling_cos
from kerasface.heads.base import MarginHead
from kerasface.heads.checks import check_number

__all__ = ["SphereFace"]


@heads.register("sphereface")
class SphereFace(MarginHead):
    """Multiplicative angular margin head for real m.

    The target's logit is `scale · ψ(θ_y)`, every other `scale · cos θ_j`, with ψ(θ) = (−1)^k cos(mθ) − 2k and
    k = ⌊mθ/π⌋: monotone in θ for every m ≥ 1. `ASoftmax` is the original of 2017, with integer m, ‖x‖ as its magnitude
    and annealing; here a margin small enough (1.35 to 1.7) makes annealing needless.

    Args:
        num_classes: C, the number of training identities.
        scale: radius of the hypersphere.
        margin: m ≥ 1, any real number. Published pairs: m = 1.5 with scale 30 (the authors' later code, the default),
            m = 1.35 with scale 64 (the ArcFace paper's comparison), m = 1.7 with scale 32.
        **options: see `MarginHead` (initializer, dtype, detach_margin). The default is the true gradient; the authors'
            later code trains this head with `detach_margin=True`.

    Call arguments:
        embeddings: (B, D) float, any norm.
        labels: (B,) int in [0, C); leave out at inference for plain scaled cosines.

    Returns:
        (B, C) float32 logits.

    Example:
        >>> logits = SphereFace(10_572, scale=64.0, margin=1.35)(embeddings, labels)

    Reference:
        Liu et al., SphereFace, CVPR 2017, eq. 7; m = 1.35: Deng et al., ArcFace, CVPR 2019, table 2; scale 30 and
        m = 1.5: the authors' OpenSphere code.
    """

    def __init__(self, num_classes, *, scale=30.0, margin=1.5, **options):
        super().__init__(num_classes, scale=scale, **options)
        self.margin = check_number("margin", margin, low=1.0)

    def adjust_target(self, cosine, norm):
        """ψ(θ_y)."""
        return falling_cos(self.margin * angle_of(cosine))

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        return {**super().get_config(), "margin": self.margin}
