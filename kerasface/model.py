"""FaceModel: a backbone and what trains it in one Keras model; predict() gives embeddings."""

import warnings

import keras
import numpy as np
from keras import ops

from kerasface import backbones, heads  # noqa: F401 (a saved model names their classes: importing registers them)
from kerasface.distribution import build_optimizer, in_several_processes, reducible
from kerasface.heads.checks import check_labels, check_number
from kerasface.heads.replicas import across, every_replicas, own_part, replica_count
from kerasface.losses import Distillation

__all__ = ["FaceModel"]


@keras.saving.register_keras_serializable(package="kerasface")
class FaceModel(keras.Model):
    """A backbone that embeds faces and the margin head that trains it.

    Images go in as they are, 0…255; `(x − mean) / std` happens inside, so that training, evaluation and export can't
    disagree about it. `fit` minimises the mean of `head.loss`, the distance from a teacher, or both; `predict` gives
    embeddings and does not touch the head.

    Args:
        backbone: built model: normalised float (N, H, W, 3) to (N, D).
        head: `MarginHead` or `PartialFC`; it is built here if it isn't. None: only what follows trains the backbone;
            with nothing of that either, as for imported weights, the model embeds and can't be fitted.
        auxiliary: (loss, weight) pairs of `kerasface.losses`, added to the head's loss: softmax + centre loss, or
            ArcFace + triplet. They need the identity of every photo.
        teacher_weight: of the distillation loss, the cosine distance from a teacher's embeddings. Above 0, targets are
            `{"label": (B,) int, "teacher": (B, D) float}`; a photo without an identity has the label −1, and only the
            teacher trains on it; AdaCos and CurricularFace, whose state follows the targets' cosines, take it for one
            of class 0 there.
        frozen: names of the backbone's layers, or what they begin with ("stage1" is all of a first stage): they keep
            their weights, and batch norms their statistics. A saved model remembers it.
        mean, std: of the preprocessing, in pixel values; 127.5 and 127.5 as in arcface_torch. SphereFace and
            MXNet-era models use 127.5 and 128. A number, or one for each channel in the network's own order.
        color_order: "rgb" or "bgr": the backbone's; the images are RGB either way.
        name: of the model.

    Call arguments:
        images: (N, H, W, 3) uint8 or float, RGB, 0…255.

    Returns:
        (N, D) embeddings, not normalised.

    Raises:
        ValueError: the backbone is not built, or does not give (N, D); an unknown color order; auxiliary losses beside
            a teacher, whose photos need no identities; a frozen layer that the backbone doesn't have. In `fit`: neither
            a head, a loss nor a teacher.

    Example:
        >>> model = FaceModel(backbones.get("mobilefacenet"), heads.get("arcface", num_classes=3059))
        >>> model.compile(keras.optimizers.SGD(0.1, momentum=0.9))
        >>> model.fit(dataset_of_images_and_labels, epochs=20)
        >>> embeddings = model.predict(images)

    Reference:
        Preprocessing: BGR/RGB, mean and scale of the published SphereFace and arcface_torch code.
    """

    def __init__(
        self,
        backbone,
        head=None,
        *,
        auxiliary=(),
        teacher_weight=0.0,
        frozen=(),
        mean=127.5,
        std=127.5,
        color_order="rgb",
        name=None,
        **kwargs,
    ):
        super().__init__(name=name, **kwargs)
        _check_part("backbone", backbone, "backbones.get('mobilefacenet')")
        if head is not None:
            _check_part("head", head, "heads.get('arcface', num_classes=…)")
        shape = getattr(backbone, "output_shape", None) if backbone.built else None
        if shape is None or len(shape) != 2:
            raise ValueError(f"backbone must be built and give embeddings (N, D). Received: output_shape={shape}")
        if isinstance(getattr(backbone, "output", None), list | tuple | dict):
            raise ValueError(
                "backbone must give a tensor, not a list of one, as models loaded from .h5 do: "
                f"keras.Model(old.inputs[0], old.outputs[0]). Received: output={backbone.output}"
            )
        self.backbone = backbone
        self.head = head
        self.mean = _of_channels("mean", mean)
        self.std = _of_channels("std", std)
        if color_order not in ("rgb", "bgr"):
            raise ValueError(f"color_order must be 'rgb' or 'bgr'. Received: color_order={color_order!r}")
        self.color_order = color_order
        if auxiliary and teacher_weight:
            raise ValueError("auxiliary losses compare identities, which a teacher's photos need not have: drop one.")
        self.auxiliary_losses = [loss for loss, _ in auxiliary]
        self.auxiliary_weights = [float(check_number("weight", weight, low=0.0)) for _, weight in auxiliary]
        self.teacher_weight = float(check_number("teacher_weight", teacher_weight, low=0.0))
        self.distillation = Distillation(name="distillation")
        self.frozen = tuple(frozen)
        for start in self.frozen:
            _freeze(backbone, start)
        # Built now, not in fit: tf.distribute's optimizer does not know a variable that is created later.
        for part in [*([] if head is None else [head]), *self.auxiliary_losses]:
            if not part.built:
                part.build(shape)
        self.built = True

    def compile(self, optimizer="rmsprop", loss=None, metrics=None, **options):
        """As Keras' `compile`, but for what the model brings itself.

        Args:
            optimizer: of Keras, `CoupledSGD`, or a name.
            loss, metrics: None.
            **options: see `keras.Model.compile`.

        Raises:
            ValueError: a loss or metrics are given.
        """
        if loss is not None or metrics is not None:
            raise ValueError(
                "FaceModel's loss is its head's, and its outputs are embeddings, of which Keras' losses and metrics "
                "can't tell anything: compile(optimizer) alone. What embeddings are worth `HeldOutVerification` of "
                f"kerasface.training measures. Received: loss={loss!r}, metrics={metrics!r}"
            )
        super().compile(optimizer, **options)

    def compile_from_config(self, config):
        """Compiles a loaded model as it was; Keras calls it."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        self.optimizer.build(self.trainable_variables)

    def fit(self, x=None, y=None, *arguments, **options):
        """As Keras' `fit`; images and labels that are given as arrays are looked at before the first step.

        Args:
            x: (N, H, W, 3) images, 0…255, or a dataset of (images, labels).
            y: (N,) int labels where `x` is images; an array or a list.
            *arguments, **options: see `keras.Model.fit`.

        Returns:
            `keras.callbacks.History`.

        Raises:
            ValueError: no labels, or labels of another shape or outside [0, C); inside a compiled graph, where nothing
                can be told, these make the loss NaN.
            TypeError: labels that are not integers.
        """
        if isinstance(x, np.ndarray) and y is None:
            raise ValueError("labels are missing: fit(images, labels), or fit(dataset) of both.")
        if isinstance(y, list):  # Keras would print the images and say that it doesn't know their type
            y = np.asarray(y)
        if isinstance(y, np.ndarray) and self.head is not None:
            check_labels(y, self.head.num_classes)
        _warn_of_unit_range(x, self.std)
        return super().fit(x, y, *arguments, **options)

    def predict(self, x, *arguments, **options):
        """As Keras' `predict`: embeddings of images, 0…255; not normalised.

        Args:
            x: (N, H, W, 3) images, or a dataset of such.
            *arguments, **options: see `keras.Model.predict`.

        Returns:
            (N, D) array.
        """
        _warn_of_unit_range(x, self.std)
        return super().predict(x, *arguments, **options)

    def call(self, images, training=False):
        """Images to embeddings."""
        pixels = ops.cast(images, self.compute_dtype)
        if self.color_order == "bgr":
            pixels = ops.flip(pixels, axis=-1)
        return self.backbone((pixels - self.mean) / self.std, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """Mean loss over the batch of the head and what is beside it, plus the backbone's regularisers.

        Under tf.distribute it is this replica's part of the mean over the global batch, whose losses are those of one
        device: the parts of all replicas add up to it, as Keras adds their gradients. Auxiliary losses see every
        replica's embeddings, heads the state that the global batch gives (`MarginHead.observe`).

        Args:
            x: the images; not used.
            y: (B,) int labels; with a teacher a dict, see the class.
            y_pred: (B, D) embeddings.
            sample_weight: (B,) or None.
            training: lets the head's state advance.

        Returns:
            Scalar.

        Raises:
            ValueError: targets that don't fit, or nothing to learn from.
        """
        if self.head is None and not self.auxiliary_losses and not self.teacher_weight:
            raise ValueError(
                "nothing to learn from: build FaceModel(model.backbone, head, …) with a head, an auxiliary loss, or a "
                "teacher_weight above 0."
            )
        labels, teacher = (y["label"], y["teacher"]) if isinstance(y, dict) else (y, None)
        if (teacher is None) != (not self.teacher_weight):
            raise ValueError(
                'with a teacher_weight targets must be {"label": …, "teacher": …}, without one plain labels. '
                f"Received: teacher_weight={self.teacher_weight} and {'no ' if teacher is None else ''}embeddings"
            )
        total = sum(self.losses, start=0.0) / replica_count()
        if self.head is not None:
            known = None if teacher is None else ops.cast(labels >= 0, labels.dtype)
            losses = self.head.loss(y_pred, labels if known is None else labels * known, training=training)
            total = total + _part_of_mean(losses, sample_weight, known)
        for loss, weight in zip(self.auxiliary_losses, self.auxiliary_weights, strict=True):
            losses = own_part(loss.loss(every_replicas(y_pred), every_replicas(labels), training=training), y_pred)
            total = total + weight * _part_of_mean(losses, sample_weight)
        if teacher is not None:
            losses = self.distillation.loss(y_pred, teacher)
            total = total + self.teacher_weight * _part_of_mean(losses, sample_weight)
        return total

    def train_step(self, *args, **kwargs):
        """One step; Keras calls it."""
        return reducible(super().train_step(*args, **kwargs))

    def test_step(self, *args, **kwargs):
        """One step of `evaluate`; Keras calls it."""
        return reducible(super().test_step(*args, **kwargs))

    def _maybe_symbolic_build(self, iterator=None, data_batch=None):
        if in_several_processes(self.distribute_strategy):
            build_optimizer(self)
        else:
            super()._maybe_symbolic_build(iterator=iterator, data_batch=data_batch)

    def get_config(self):
        """Returns the arguments that rebuild this model."""
        return {
            "backbone": keras.saving.serialize_keras_object(self.backbone),
            "head": self.head and keras.saving.serialize_keras_object(self.head),
            "auxiliary": [
                [keras.saving.serialize_keras_object(loss), weight]
                for loss, weight in zip(self.auxiliary_losses, self.auxiliary_weights, strict=True)
            ],
            "teacher_weight": self.teacher_weight,
            "frozen": list(self.frozen),
            "mean": self.mean,
            "std": self.std,
            "color_order": self.color_order,
            "name": self.name,
            "dtype": keras.saving.serialize_keras_object(self.dtype_policy),
        }

    @classmethod
    def from_config(cls, config):
        """Returns the model of this config."""
        named = [part for part in ("backbone", "head") if config[part] is not None]
        parts = {part: keras.saving.deserialize_keras_object(config[part]) for part in named}
        auxiliary = [(keras.saving.deserialize_keras_object(loss), weight) for loss, weight in config["auxiliary"]]
        return cls(**{**config, **parts, "auxiliary": auxiliary})


def _check_part(field, value, example):
    if not isinstance(value, keras.Layer):
        raise TypeError(f"{field} must be built already, as {example} does. Received: {field}={value!r}")


def _warn_of_unit_range(images, std):
    """Says so where images were divided by 255: such a model trains, and knows nobody in photos that are not."""
    floats = isinstance(images, np.ndarray) and images.size and images.dtype.kind == "f"
    if floats and np.max(std) > 1.0 and 0.0 < images.max() <= 1.0:
        warnings.warn(
            "images lie in [0, 1] or [-1, 1]; FaceModel takes pixels as they are, 0…255, and normalises them itself.",
            UserWarning,
            stacklevel=3,
        )


def _of_channels(field, value):
    """A float, or a list of three, as JSON brings them back."""
    if isinstance(value, int | float):
        return float(value)
    values = [float(entry) for entry in value]
    if len(values) != 3:
        raise ValueError(f"{field} must be a number or three, one a channel. Received: {field}={value}")
    return values


def _freeze(backbone, start):
    layers = [layer for layer in backbone.layers if layer.name.startswith(start)]
    if not any(layer.weights for layer in layers):
        # A network has over a hundred layers, of few parts.
        parts = dict.fromkeys(layer.name.split("_")[0] for layer in backbone.layers if layer.weights)
        raise ValueError(
            f"frozen must name layers with weights, or what their names begin with. Received: {start!r}; the names in "
            f"{backbone.name} begin with {', '.join(parts)}"
        )
    for layer in layers:
        layer.trainable = False


def _part_of_mean(losses, sample_weight, known=None):
    """This replica's part of the mean over all losses, or over those that are known; 0 where none is."""
    if sample_weight is not None:
        losses = losses * ops.cast(sample_weight, losses.dtype)
    if known is None and losses.shape[0] is not None:
        return ops.mean(losses) / replica_count()
    # An epoch's last batch may leave a replica fewer rows than others have.
    known = ops.ones_like(losses) if known is None else ops.cast(known, losses.dtype)
    return ops.sum(losses * known) / ops.maximum(across(ops.sum(known)), 1.0)
