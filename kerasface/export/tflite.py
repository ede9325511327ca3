"""TFLite files: what phones, boards and browsers run through LiteRT."""

import contextlib
import io

import keras

from kerasface.errors import KerasfaceError
from kerasface.export.handover import hand_over, prepare
from kerasface.export.metadata import tflite_with_spec

__all__ = ["PRECISIONS", "to_tflite"]

# The default first.
PRECISIONS = ("fp16", "fp32")


def to_tflite(model, path, *, spec, precision="fp16", images=None):
    """Writes a model as a TFLite file and its sidecar, after proving that the file answers as the model does.

    The file has one signature, `serving_default`: `image`, uint8 (1, H, W, 3) RGB 0…255, to `embedding`, float32 (1, D)
    of unit length. The batch is fixed at one: a dynamic one adds operators that XNNPACK doesn't take.

    Args:
        model: `FaceModel`, or a bare backbone that `spec` describes.
        path: the file to write; `PATH.json` is written beside it.
        spec: `EmbedderSpec` of this model; it goes into the file's metadata and the sidecar.
        precision: of the stored weights. "fp16" halves the file at a cosine above .9999; arithmetic is float32 on a CPU
            in both.
        images: uint8 (N, H, W, 3) RGB, at least 64, to prove the file on; by default `natural_images`.

    Returns:
        `ExportReport`.

    Raises:
        KerasfaceError: the converter has no operator for a layer, or the file disagrees with the model; nothing is
            written then.
        ValueError: an unknown precision, or a spec that does not fit the model.

    Example:
        >>> spec = embedder_spec(model, name="mobilefacenet.arcface_celeba")
        >>> to_tflite(model, "mobilefacenet.tflite", spec=spec).bytes
        2115000
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {PRECISIONS}. Received: precision={precision!r}")
    embedder = prepare(model, path, spec)
    content = tflite_with_spec(_convert(embedder, precision), spec)
    return hand_over(content, path, embedder=embedder, spec=spec, format="tflite", precision=precision, images=images)


def _convert(embedder, precision):
    import tensorflow as tf
    from tensorflow.lite.python.convert_phase import ConverterError

    image = keras.Input(batch_shape=(1, *embedder.input_shape[1:]), dtype="uint8", name="image")
    # The dict names the signature's output.
    fixed = keras.Model(image, {"embedding": embedder(image, training=False)}, name="embedder")
    # from_keras_model, because from_concrete_functions drops the weights without an error.
    converter = tf.lite.TFLiteConverter.from_keras_model(fixed)
    if precision == "fp16":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
        converter.target_spec.supported_types = [tf.float16]
    try:
        with contextlib.redirect_stdout(io.StringIO()):  # Keras prints the signature of its intermediate SavedModel
            return converter.convert()
    except ConverterError as error:
        raise KerasfaceError(
            "TFLite has no operator for a layer of the backbone: replace it by one built of convolutions, dense layers "
            f"and elementwise arithmetic. Received: {_gist(error)}"
        ) from error


def _gist(error):
    # The converter's message is a page of locations; these lines name the operators.
    lines = str(error).splitlines()
    return "; ".join(line for line in lines if line.startswith(("TF Select ops:", "Custom ops:"))) or lines[0]
