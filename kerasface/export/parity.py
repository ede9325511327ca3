"""The proof that an exported file answers as its Keras model does."""

import dataclasses
import hashlib
import json
from pathlib import Path

import numpy as np
from keras import ops

from kerasface.errors import KerasfaceError
from kerasface.export.artefact import open_artefact
from kerasface.export.metadata import artefact_bytes
from kerasface.export.operators import count_operators, forbidden_operators

__all__ = ["BOUNDS", "ParityReport", "check", "natural_images", "require"]

# What a file of each precision must keep to: rounding of the arithmetic in fp32, of the weights in fp16, of weights and
# activations to 8 bits in the others.
BOUNDS = {
    "fp32": {"max_abs": 1e-4},
    "fp16": {"min_cosine": 0.9999},
    "int8": {"mean_cosine": 0.995},
    "int8-full": {"mean_cosine": 0.98},
}
_ADVICE = {
    "fp32": "Does a layer draw noise?",
    "fp16": "Weights may be beyond float16: export fp32.",
    "int8": "Export fp16, or train with weights that are less far apart.",
    "int8-full": "Give more representative faces, or export int8.",
}
_BATCH = 16
_BYTES_PER_WEIGHT = {"fp32": 4, "fp16": 2, "int8": 1, "int8-full": 1}


@dataclasses.dataclass(frozen=True)
class ParityReport:
    """How near an exported file's embeddings are to its Keras model's.

    Args:
        images: how many were compared.
        max_abs: largest difference of one coordinate; embeddings have length 1.
        min_cosine, mean_cosine: between the two embeddings of one image.
        bytes: the file's size.
        kernel_weights: how many weights of the model no converter can fold away.
        operators: the file's operators, name to count.
    """

    images: int
    max_abs: float
    min_cosine: float
    mean_cosine: float
    bytes: int
    kernel_weights: int
    operators: dict[str, int]

    def to_json(self):
        """Returns the report as a JSON text, keys sorted."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


def check(keras_embedder, path, images):
    """Compares an exported file with the Keras model it came from, in the runtime that `kerasface.edge` uses.

    Args:
        keras_embedder: what `strip` gave.
        path: TFLite or ONNX file, or the folder of a SavedModel.
        images: uint8 (N, H, W, 3) RGB.

    Returns:
        `ParityReport`; whether it is good enough, `require` says.

    Raises:
        KerasfaceError: the file holds operators that a plain runtime doesn't have, so that it can't be run.

    Example:
        >>> check(strip(model), "model.tflite", natural_images(64)).min_cosine
        0.9999994
    """
    # A SavedModel is TensorFlow's own: it lacks no operator.
    operators = {} if Path(path).is_dir() else count_operators(path)
    if forbidden := forbidden_operators(operators):
        raise KerasfaceError(
            f"the converted file needs operators that devices don't have: {', '.join(forbidden)}. Replace the layers "
            "of the backbone that make them (a custom layer, an operator that TFLite lacks, weights outside the model)."
        )
    expected = np.asarray(
        keras_embedder.predict(images.astype(keras_embedder.input.dtype), batch_size=_BATCH, verbose=0), np.float64
    )
    received = open_artefact(path)(images).astype(np.float64)
    lengths = np.linalg.norm(expected, axis=1) * np.linalg.norm(received, axis=1)
    cosines = np.sum(expected * received, axis=1) / lengths
    return ParityReport(
        images=len(images),
        max_abs=float(np.max(np.abs(expected - received))),
        min_cosine=float(np.min(cosines)),
        mean_cosine=float(np.mean(cosines)),
        bytes=artefact_bytes(path),
        kernel_weights=_kernel_weights(keras_embedder),
        operators=operators,
    )


def require(report, precision):
    """Refuses a file that lost weights or whose embeddings differ from its model's by more than `BOUNDS`.

    Args:
        report: `ParityReport`.
        precision: "fp32" or "fp16".

    Raises:
        KerasfaceError: with the figure and its bound.
    """
    minimum = report.kernel_weights * _BYTES_PER_WEIGHT[precision]
    if report.bytes < minimum:
        raise KerasfaceError(
            f"the converter dropped weights: {report.kernel_weights} of them need at least {minimum} bytes in "
            f"{precision}. Received: a file of {report.bytes} bytes. Is every layer of the backbone tracked by it?"
        )
    for figure, bound in BOUNDS[precision].items():
        value = getattr(report, figure)
        # Written so that NaN fails too.
        within = value <= bound if figure == "max_abs" else value >= bound
        if not within:
            raise KerasfaceError(
                f"the {precision} file disagrees with its Keras model on {report.images} images: expected {figure} "
                f"{'at most' if figure == 'max_abs' else 'at least'} {bound}. Received: {figure}={value:.6g}. "
                + _ADVICE[precision]
            )


def natural_images(count, *, height=112, width=112, seed=0):
    """Draws colour images with the spatial statistics of photographs, to compare networks on without any photograph.

    Gaussian noise is filtered to an amplitude spectrum of 1/f; a luminance field and two weaker chroma fields are mixed
    into RGB, and every image gets a brightness and a contrast of its own. White noise would not do: it averages out in
    the first layers, and every image would get nearly the same embedding.

    Args:
        count: N.
        height, width: in pixels.
        seed: the same seed gives the same images.

    Returns:
        uint8 (N, height, width, 3) RGB.

    Example:
        >>> natural_images(64).shape
        (64, 112, 112, 3)

    Reference:
        Field, Relations between the statistics of natural images and the response properties of cortical cells,
        JOSA A 1987 (the 1/f spectrum).
    """
    rng = np.random.default_rng(seed)
    frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None, :])
    frequency[0, 0] = np.inf  # no mean: brightness is drawn apart
    spectrum = np.fft.rfft2(rng.normal(size=(count, 3, height, width))) / frequency
    fields = np.fft.irfft2(spectrum, s=(height, width))
    fields /= fields.std(axis=(2, 3), keepdims=True)
    luminance, warm, green = fields[:, 0], 0.4 * fields[:, 1], 0.4 * fields[:, 2]
    pixels = np.stack([luminance + warm, luminance + green, luminance - warm], axis=-1)
    brightness = rng.uniform(80, 175, (count, 1, 1, 1))
    contrast = rng.uniform(25, 65, (count, 1, 1, 1))
    return np.clip(brightness + contrast * pixels, 0, 255).astype(np.uint8)


def _kernel_weights(model):
    # Kernels alone, and equal ones once: converters fold batch norm's vectors away and store equal constants once.
    sizes = {}
    for weight in model.weights:
        if sum(size > 1 for size in weight.shape) > 1:
            values = ops.convert_to_numpy(weight)
            sizes[hashlib.sha256(values.tobytes()).digest()] = values.size
    return sum(sizes.values())
