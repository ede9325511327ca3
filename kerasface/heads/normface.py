"""NormFace: cosines times a scale, without a margin."""

from kerasface.heads._registry import heads
from kerasface.heads.base import MarginHead

__all__ = ["NormFace"]


@heads.register("normface")
class NormFace(MarginHead):
    """Normalised softmax (NormFace, NSL; COCO loss with its own scale): logit_j = scale · cos θ_j.

    Args:
        num_classes: C, the number of training identities.
        scale: s; 16 to 64 are in use. Below (C−1)/C · ln((C−1)p/(1−p)) no sample can reach the probability p.
        **options: see `MarginHead` (initializer, dtype).

    Call arguments:
        embeddings: (B, D) float, any norm.
        labels: (B,) int in [0, C); the logits are the same without.

    Returns:
        (B, C) float32 logits.

    Example:
        >>> logits = NormFace(10_572, scale=30.0)(embeddings, labels)

    Reference:
        Wang et al., NormFace, ACM MM 2017; the bound: Wang et al., CosFace, CVPR 2018, eq. 6.
    """

    def __init__(self, num_classes, *, scale=30.0, **options):
        super().__init__(num_classes, scale=scale, **options)
