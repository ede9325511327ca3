"""Modified softmax: unit prototypes, no bias, no margin."""

from kerasface.heads._registry import heads
from kerasface.heads.base import MarginHead

__all__ = ["ModifiedSoftmax"]


@heads.register("modified_softmax")
class ModifiedSoftmax(MarginHead):
    """Modified softmax (M-softmax): logit_j = ‖x‖ cos θ_j, so that only angles decide between classes.

    Args:
        num_classes: C, the number of training identities.
        **options: see `MarginHead` (initializer, dtype); with a scale it would be `NormFace`.

    Call arguments:
        embeddings: (B, D) float, any norm; the norm is the logits' magnitude.
        labels: (B,) int in [0, C); the logits are the same without.

    Returns:
        (B, C) float32 logits.

    Example:
        >>> logits = ModifiedSoftmax(10_572)(embeddings, labels)

    Reference:
        Liu et al., SphereFace, CVPR 2017, eq. 5.
    """
