"""Distillation: the student's embedding turns towards the teacher's."""

import keras
from keras import ops

from kerasface.heads.geometry import unit_rows

__all__ = ["Distillation"]


@keras.saving.register_keras_serializable(package="kerasface")
class Distillation(keras.layers.Layer):
    """Cosine distance to a teacher's embedding: 1 − cos(x, t).

    On unit vectors this is half the squared distance ‖x̂ − t̂‖², so it is the L2 form too. It needs no identities: any
    aligned face teaches.

    Args:
        name: of the layer.

    Example:
        >>> Distillation().loss(embeddings, teacher_embeddings).shape
        (8,)

    Reference:
        Hinton et al., Distilling the Knowledge in a Neural Network, 2015, for the idea; on embeddings as in Feng et
        al., Triplet Distillation for Deep Face Recognition, ICIP 2020, which compares with it.
    """

    def __init__(self, *, dtype="float32", name=None, **kwargs):
        super().__init__(dtype=dtype, name=name, **kwargs)

    def loss(self, embeddings, targets):
        """The distance of each embedding from its target.

        Args:
            embeddings: (B, D) float, any norm.
            targets: (B, D) float, the teacher's embeddings of the same photos, any norm.

        Returns:
            (B,) float32, 0 to 2.

        Raises:
            ValueError: the teacher has another number of dimensions.
        """
        if embeddings.shape[-1] != targets.shape[-1]:
            raise ValueError(
                f"student and teacher need the same embedding_dim. Received: {embeddings.shape[-1]} and "
                f"{targets.shape[-1]}; set backbone.embedding_dim: {targets.shape[-1]}"
            )
        student = unit_rows(ops.convert_to_tensor(embeddings, dtype=self.compute_dtype))[0]
        teacher = unit_rows(ops.convert_to_tensor(targets, dtype=self.compute_dtype))[0]
        return 1.0 - ops.sum(student * teacher, axis=-1)
