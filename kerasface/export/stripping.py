"""Takes the head off a trained model and puts preprocessing and normalisation in: pixels to comparable embeddings."""

import keras
from keras import ops

from kerasface.export.identity import embedder_spec

__all__ = ["Standardize", "UnitLength", "strip"]


def strip(model, spec=None, *, input_dtype="uint8"):
    """Returns the embedder of a trained model: the network as a device needs it, without its head.

    `embedding = f / ‖f‖₂`, where `f = backbone((image − mean) / std)` in inference mode. The weights are shared with
    `model`, not copied, unless its layers compute in half precision: then the embedder is a float32 copy, because the
    converters expect float32 and choose the file's precision themselves.

    Args:
        model: a `FaceModel`; or a bare backbone with `spec`: functional model, normalised float (N, H, W, 3) to (N, D).
        spec: the embedder's `EmbedderSpec`; its mean, std and color order are built in. For a `FaceModel` it may be
            left out: the model's own are taken.
        input_dtype: "uint8" or "float32" of the pixels, 0…255 either way.

    Returns:
        `keras.Model` with the input `image`, (N, H, W, 3) RGB, and the output `embedding`, float32 (N, D) of
        unit length.

    Raises:
        ValueError: a bare backbone without a spec, a model that is stripped already, or a spec that disagrees with the
            model about sizes or preprocessing.

    Example:
        >>> embedder = strip(face_model)
        >>> cosines = embedder.predict(images) @ embedder.predict(images).T
    """
    backbone = getattr(model, "backbone", model)
    if any(isinstance(layer, UnitLength) for layer in getattr(backbone, "layers", ())):
        raise ValueError(f"expected a FaceModel or a backbone, not a stripped model. Received: {backbone.name}")
    if spec is None:
        if backbone is model:
            raise ValueError("a bare backbone needs a spec that says how to prepare its pixels. Received: spec=None")
        spec = embedder_spec(model, name=backbone.name)
    _require_agreement(model, backbone, spec)
    image = keras.Input(spec.input_shape, dtype=input_dtype, name="image")
    x = Standardize(spec.mean, spec.std, color_order=spec.color_order, dtype="float32", name="standardize")(image)
    x = _in_float32(backbone)(x, training=False)
    return keras.Model(image, UnitLength(dtype="float32", name="embedding")(x), name="embedder")


@keras.saving.register_keras_serializable(package="kerasface")
class Standardize(keras.layers.Layer):
    """Pixels to what a network was trained on: `(pixel − mean) / std`, channels in the network's order.

    Args:
        mean, std: three numbers each, in pixel values 0…255, in the network's own channel order.
        color_order: "rgb" or "bgr": the network's; the layer always takes RGB.
        **options: of `keras.layers.Layer`.

    Call arguments:
        images: (N, H, W, 3) uint8 or float, RGB, 0…255.

    Returns:
        (N, H, W, 3) float.

    Example:
        >>> Standardize((127.5,) * 3, (128.0,) * 3, color_order="bgr")(images)
    """

    def __init__(self, mean, std, *, color_order="rgb", **options):
        super().__init__(**options)
        self.mean = [float(value) for value in mean]
        self.std = [float(value) for value in std]
        self.color_order = color_order

    def call(self, images):
        """Images to network input."""
        x = ops.cast(images, self.compute_dtype)
        if self.color_order == "bgr":
            # Split and join: XNNPACK runs both, but neither a gather nor a slice with a negative stride.
            red, green, blue = ops.split(x, 3, axis=-1)
            x = ops.concatenate([blue, green, red], axis=-1)
        return (x - ops.array(self.mean, x.dtype)) / ops.array(self.std, x.dtype)

    def compute_output_shape(self, input_shape):
        """Same as the input's."""
        return input_shape

    def get_config(self):
        """Returns the arguments that rebuild this layer."""
        return {**super().get_config(), "mean": self.mean, "std": self.std, "color_order": self.color_order}


@keras.saving.register_keras_serializable(package="kerasface")
class UnitLength(keras.layers.Layer):
    """L2 normalisation over the last axis, `x / max(‖x‖₂, 1e-6)`.

    One `L2_NORMALIZATION` operator in TFLite, where `keras.ops.normalize` becomes five that full integer quantisation
    can't keep.

    Call arguments:
        embeddings: (N, D) float.

    Returns:
        (N, D) float of length 1.

    Example:
        >>> UnitLength()(backbone(images))
    """

    def call(self, embeddings):
        """Embeddings of any length to length 1."""
        if keras.backend.backend() == "tensorflow":
            import tensorflow as tf

            return tf.math.l2_normalize(embeddings, axis=-1, epsilon=1e-12)  # its epsilon bounds the square
        return ops.normalize(embeddings, axis=-1, order=2, epsilon=1e-6)

    def compute_output_shape(self, input_shape):
        """Same as the input's."""
        return input_shape


def _require_agreement(model, backbone, spec):
    said = (*spec.input_shape, spec.embedding_size)
    real = (*backbone.input_shape[1:], backbone.output_shape[-1])
    # None stands for any size: a fully convolutional backbone takes what the spec says.
    if len(said) != len(real) or any(r not in (None, s) for s, r in zip(said, real, strict=True)):
        raise ValueError(f"spec says (height, width, 3, D) = {said}, the backbone {real}. Received: spec={spec.name!r}")
    if backbone is model:
        return
    own = spec.replace(mean=model.mean, std=model.std, color_order=model.color_order)
    if spec != own:
        raise ValueError(
            f"the model was trained on {own.color_order} with mean={own.mean} and std={own.std}, the spec says "
            f"otherwise. Received: color_order={spec.color_order!r}, mean={spec.mean}, std={spec.std}"
        )


def _in_float32(backbone):
    if all(layer.compute_dtype == "float32" for layer in getattr(backbone, "layers", ())):
        return backbone
    copy = keras.models.clone_model(backbone, clone_function=_float32_layer, recursive=True)
    copy.set_weights(backbone.get_weights())
    return copy


def _float32_layer(layer):
    return type(layer).from_config({**layer.get_config(), "dtype": "float32"})
