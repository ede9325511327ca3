"""FaceModel: a backbone and a head in one Keras model; fit() trains both, predict() gives embeddings."""

import keras
from keras import ops

from kerasface import backbones, heads  # noqa: F401 (a saved model names their classes: importing registers them)

__all__ = ["FaceModel"]


@keras.saving.register_keras_serializable(package="kerasface")
class FaceModel(keras.Model):
    """A backbone that embeds faces and the margin head that trains it.

    Images go in as they are, 0…255; `(x − mean) / std` happens inside, so that training, evaluation and export can't
    disagree about it. `fit` minimises the mean of `head.loss`; `predict` gives embeddings and does not touch the head.

    Args:
        backbone: built model: normalised float (N, H, W, 3) to (N, D).
        head: `MarginHead`; it is built here if it isn't.
        mean, std: of the preprocessing, in pixel values; 127.5 and 127.5 as in arcface_torch. SphereFace and
            MXNet-era models use 127.5 and 128.
        name: of the model.

    Call arguments:
        images: (N, H, W, 3) uint8 or float, RGB, 0…255.

    Returns:
        (N, D) embeddings, not normalised.

    Raises:
        ValueError: the backbone is not built, or does not give (N, D).

    Example:
        >>> model = FaceModel(backbones.get("mobilefacenet"), heads.get("arcface", num_classes=3059))
        >>> model.compile(keras.optimizers.SGD(0.1, momentum=0.9))
        >>> model.fit(dataset_of_images_and_labels, epochs=20)
        >>> embeddings = model.predict(images)

    Reference:
        Preprocessing: BGR/RGB, mean and scale of the published SphereFace and arcface_torch code.
    """

    def __init__(self, backbone, head, *, mean=127.5, std=127.5, name=None, **kwargs):
        super().__init__(name=name, **kwargs)
        shape = getattr(backbone, "output_shape", None) if backbone.built else None
        if shape is None or len(shape) != 2:
            raise ValueError(f"backbone must be built and give embeddings (N, D). Received: output_shape={shape}")
        self.backbone = backbone
        self.head = head
        self.mean = float(mean)
        self.std = float(std)
        # Built now, not in fit: tf.distribute's optimizer does not know a variable that is created later.
        if not head.built:
            head.build(shape)
        self.built = True

    def call(self, images, training=False):
        """Images to embeddings."""
        pixels = ops.cast(images, self.compute_dtype)
        return self.backbone((pixels - self.mean) / self.std, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Mean loss of the head over the batch, plus the backbone's regularisers.

        Args:
            x: the images; not used.
            y: (B,) int labels.
            y_pred: (B, D) embeddings.
            sample_weight: (B,) or None.
            training: lets the head's state advance.

        Returns:
            Scalar.
        """
        losses = self.head.loss(y_pred, y, training=training)
        if sample_weight is not None:
            losses = losses * ops.cast(sample_weight, losses.dtype)
        return sum(self.losses, start=ops.mean(losses))

    def get_config(self):
        """Returns the arguments that rebuild this model."""
        return {
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "head": keras.saving.serialize_keras_object(self.head),
            "mean": self.mean,
            "std": self.std,
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config):
        """Returns the model of this config."""
        parts = {part: keras.saving.deserialize_keras_object(config[part]) for part in ("backbone", "head")}
        return cls(**{**config, **parts})
