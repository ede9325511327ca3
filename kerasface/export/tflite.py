"""TFLite files: what phones, boards and browsers run through LiteRT."""

import contextlib
import io

import keras

from kerasface.errors import KerasfaceError
from kerasface.export.equalization import equalize
from kerasface.export.handover import Calibration, hand_over, prepare
from kerasface.export.metadata import tflite_with_spec
from kerasface.export.prelu import without_prelu
from kerasface.export.quantization import REPRESENTATIVE, quantize_dynamically, quantize_statically, require_quantizer
from kerasface.export.stripping import strip

__all__ = ["PRECISIONS", "converted", "to_tflite"]

# The default first.
PRECISIONS = ("fp16", "fp32", "int8", "int8-full")


def to_tflite(
    model,
    path,
    *,
    spec,
    precision="fp16",
    input_dtype="uint8",
    batch=1,
    images=None,
    representative=None,
    calibration: Calibration | None = None,
):
    """Writes a model as a TFLite file and its sidecar, after proving that the file answers as the model does.

    The file has one signature, `serving_default`: `image`, (batch, H, W, 3) RGB 0…255, to `embedding`, float32
    (batch, D) of unit length. The batch is fixed: a free one adds operators that XNNPACK doesn't take.

    Args:
        model: `FaceModel`, or a bare backbone that `spec` describes.
        path: the file to write; `PATH.json` is written beside it.
        spec: `EmbedderSpec` of this model; it goes into the file's metadata and the sidecar.
        precision: "fp16" halves the file, its weights are rounded and arithmetic is float32 on a CPU, as in "fp32".
            "int8" rounds weights to 8 bits and computes convolutions in int8, which is the fastest on a CPU.
            "int8-full" rounds activations too, for hardware that has integers alone; only the last normalization is
            float32.
        input_dtype: "uint8" or "float32", the type of the pixels.
        batch: images a run, fixed.
        images: uint8 (N, H, W, 3) RGB, at least 64, to prove the file on; by default `natural_images`.
        representative: uint8 (N, H, W, 3) RGB faces, at least 64 and at least a batch, that the ranges of activations
            are taken from; for "int8-full" alone, and needed there. `read_crops` reads them.
        calibration: `Calibration`: people on whom thresholds are chosen with the finished file.

    Returns:
        `ExportReport`.

    Raises:
        KerasfaceError: the converter has no operator for a layer, the file disagrees with the model, int8-full without
            representative faces or with a PReLU that integers can't have; nothing is written then.
        ValueError: an unknown precision or type, or a spec or representative faces that do not fit the model.

    Example:
        >>> spec = embedder_spec(model, name="mobilefacenet.arcface_celeba")
        >>> to_tflite(model, "mobilefacenet.tflite", spec=spec).bytes
        2115000
    """
    if precision not in PRECISIONS:
        raise ValueError(f"precision must be one of {PRECISIONS}. Received: precision={precision!r}")
    if batch < 1:
        raise ValueError(f"batch must be at least 1. Received: batch={batch}")
    embedder = prepare(model, path, spec, input_dtype=input_dtype)
    if precision.startswith("int8"):
        require_quantizer()
    if precision == "int8-full":
        content = _integer(model, spec, input_dtype, batch, _checked(representative, spec, batch))
    elif precision == "int8":
        content = quantize_dynamically(converted(embedder, "fp32", batch))
    else:
        content = converted(embedder, precision, batch)
    return hand_over(
        lambda staged, told: staged.write_bytes(tflite_with_spec(content, told)),
        path,
        embedder=embedder,
        spec=spec,
        format="tflite",
        precision=precision,
        images=images,
        calibration=calibration,
    )


def _checked(representative, spec, batch):
    if representative is None:
        raise KerasfaceError(
            f"int8-full takes the ranges of its activations from faces: give at least {REPRESENTATIVE} aligned crops "
            "of the kind that the file will see (representative=…, --representative FOLDER), the training data for "
            "instance, and never the set that it is measured on."
        )
    least = max(REPRESENTATIVE, batch)  # the file is run on whole batches
    fits = representative.shape[1:] == spec.input_shape and representative.dtype == "uint8"
    if not fits or len(representative) < least:
        raise ValueError(
            f"representative must be at least {least} uint8 images of {spec.input_shape}. "
            f"Received: {representative.dtype} {representative.shape}"
        )
    return representative


def _integer(model, spec, input_dtype, batch, representative):
    backbone = without_prelu(getattr(model, "backbone", model))
    pixels = strip(backbone, spec, input_dtype=input_dtype)
    equalize(pixels, representative)
    samples = representative[: len(representative) // batch * batch].astype(input_dtype)
    return quantize_statically(converted(pixels, "fp32", batch), samples.reshape(-1, batch, *samples.shape[1:]))


def converted(embedder, precision, batch=1):
    """Runs TensorFlow's own converter.

    Args:
        embedder: what `strip` gave.
        precision: "fp32" or "fp16".
        batch: images a run.

    Returns:
        bytes of a TFLite file without a spec.

    Raises:
        KerasfaceError: TFLite has no operator for a layer; it is named.
    """
    import tensorflow as tf
    from tensorflow.lite.python.convert_phase import ConverterError

    dtype = embedder.input.dtype
    image = keras.Input(batch_shape=(batch, *embedder.input_shape[1:]), dtype=dtype, name="image")
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
