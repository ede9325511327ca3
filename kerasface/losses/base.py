"""EmbeddingLoss: what the losses over a batch's embeddings and identities have in common."""

import keras
from keras import backend, ops

from kerasface.heads.checks import check_rank

__all__ = ["EmbeddingLoss"]


class EmbeddingLoss(keras.layers.Layer):
    """Base of the pair, triplet and centre losses; they stand alone or beside a head.

    A loss overrides `sample_losses(embeddings, labels, training)`. Like heads they work in float32 whatever the global
    policy is, give one loss a sample, and send back finite gradients everywhere, coinciding embeddings included. Where
    a loss needs partners in the batch, a sample without any has the loss 0 and no gradient: batches should hold several
    photos of each person.

    Args:
        dtype: "float32"; "float64" for checks of gradients.
        name: of the layer.

    Example:
        >>> class Shortness(EmbeddingLoss):
        ...     def sample_losses(self, embeddings, labels, training):
        ...         return keras.ops.sum(keras.ops.square(embeddings), axis=-1)

    Reference:
        Deng et al., ArcFace, CVPR 2019, which compares with them, alone and joined to a head.
    """

    def __init__(self, *, dtype="float32", name=None, **kwargs):
        super().__init__(dtype=dtype, name=name, **kwargs)

    def build(self, embeddings_shape):
        """Creates weights where a loss has some."""
        self.built = True

    def loss(self, embeddings, labels, training=False):
        """The loss of each sample.

        Args:
            embeddings: (B, D) float tensor or array.
            labels: (B,) int identities.
            training: True lets state move, where a loss has some.

        Returns:
            (B,) float32 losses, not averaged.

        Raises:
            ValueError: wrong ranks, or not as many labels as embeddings.
            TypeError: labels that are not integers.
        """
        embeddings = ops.convert_to_tensor(embeddings, dtype=self.compute_dtype)
        labels = ops.convert_to_tensor(labels)
        check_rank("embeddings", embeddings, "(B, D)")
        self.check_labels(labels)
        if None not in (embeddings.shape[0], labels.shape[0]) and embeddings.shape[0] != labels.shape[0]:
            raise ValueError(
                f"labels must be as many as embeddings. Received: {labels.shape[0]} and {embeddings.shape[0]}"
            )
        if not self.built:
            self.build(embeddings.shape)
        return self.sample_losses(embeddings, labels, training)

    def check_labels(self, labels):
        """Raises for labels that are not (B,) integers; which ones doesn't matter, only which are equal."""
        dtype = backend.standardize_dtype(labels.dtype)
        if "int" not in dtype:
            raise TypeError(f"labels must be integers. Received: dtype={dtype}")
        check_rank("labels", labels, "(B,)")

    def sample_losses(self, embeddings, labels, training):
        """Hook: (B, D) and (B,) to (B,)."""
        raise NotImplementedError
