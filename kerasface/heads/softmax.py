"""Softmax: the baseline without normalisation and without a margin."""

from keras import ops

from kerasface.heads._registry import heads
from kerasface.heads.base import MarginHead
from kerasface.heads.geometry import entries, in_range, with_target

__all__ = ["Softmax"]


@heads.register("softmax")
class Softmax(MarginHead):
    """Plain softmax classifier: logit_j = P_jᵀ x + b_j.

    Args:
        num_classes: C, the number of training identities.
        **options: see `MarginHead` (initializer, dtype); there is no margin to detach.

    Call arguments:
        embeddings: (B, D) float.
        labels: (B,) int in [0, C), or left out; the logits are the same.

    Returns:
        (B, C) float32 logits.

    Raises:
        ValueError: a scale is given.

    Example:
        >>> logits = Softmax(10_572)(embeddings)

    Reference:
        Liu et al., SphereFace, CVPR 2017, eq. 1.
    """

    def __init__(self, num_classes, **options):
        if options.get("scale") is not None:
            raise ValueError(f"Softmax has no scale; NormFace has. Received: scale={options['scale']}")
        super().__init__(num_classes, **options)

    def build(self, embeddings_shape):
        """Creates the prototypes, (C, D), and the bias, (C,)."""
        super().build(embeddings_shape)
        self.bias = self.add_weight(shape=(self.num_classes,), initializer="zeros", name="bias")

    @property
    def class_weights(self):
        """Prototypes and bias."""
        return [self.prototypes, self.bias]

    def logits_among(self, embeddings, class_weights, labels, training):
        """P_jᵀ x + b_j, (B, n)."""
        prototypes, bias = class_weights
        logits = ops.einsum("bd,nd->bn", embeddings, prototypes) + bias
        if labels is None:
            return logits
        return with_target(logits, labels, entries(logits, in_range(labels, prototypes.shape[0])))
