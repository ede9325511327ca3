"""SavedModels: what TensorFlow Serving and TensorFlow's other tools take."""

import contextlib
import io
from pathlib import Path

import keras

from kerasface.errors import KerasfaceError
from kerasface.export.handover import Calibration, hand_over, prepare
from kerasface.spec import SPEC_KEY

__all__ = ["to_saved_model"]

# Where TensorFlow lets others keep files inside a SavedModel.
_ASSETS = "assets.extra"


def to_saved_model(model, path, *, spec, input_dtype="uint8", images=None, calibration: Calibration | None = None):
    """Writes a model as a float32 SavedModel and its sidecar, after proving that it answers as the model does.

    The signature `serving_default` takes `image`, (batch, H, W, 3) RGB 0…255, any batch, and gives `embedding`, float32
    (batch, D) of unit length. The spec lies in `assets.extra/kerasface.EmbedderSpec.json`.

    Args:
        model: `FaceModel`, or a bare backbone that `spec` describes.
        path: the folder to make; `PATH.json` is written beside it.
        spec: `EmbedderSpec` of this model.
        input_dtype: "uint8" or "float32", the type of the pixels.
        images: uint8 (N, H, W, 3) RGB, at least 64, to prove it on; by default `natural_images`.
        calibration: `Calibration`: people on whom thresholds are chosen with the finished model.

    Returns:
        `ExportReport`.

    Raises:
        KerasfaceError: something is at `path`, or the SavedModel disagrees with the model; nothing is written then.
        ValueError: a spec that does not fit the model.

    Example:
        >>> to_saved_model(model, "mobilefacenet", spec=spec).parity.max_abs
        0.0
    """
    if Path(path).exists():
        raise KerasfaceError(f"{path} exists, and a SavedModel is a folder of its own: name one that doesn't exist.")
    embedder = prepare(model, path, spec, input_dtype=input_dtype)

    def write(staged, told):
        if not staged.exists():
            _save(embedder, staged)
        (staged / _ASSETS).mkdir(exist_ok=True)
        (staged / _ASSETS / f"{SPEC_KEY}.json").write_text(told.to_json(), encoding="utf-8")

    return hand_over(
        write,
        path,
        embedder=embedder,
        spec=spec,
        format="saved-model",
        precision="fp32",
        images=images,
        calibration=calibration,
    )


def _save(embedder, folder):
    import tensorflow as tf

    archive = keras.export.ExportArchive()
    archive.track(embedder)
    pixels = tf.TensorSpec((None, *embedder.input_shape[1:]), embedder.input.dtype, name="image")
    archive.add_endpoint(
        "serving_default", lambda image: {"embedding": embedder(image, training=False)}, input_signature=[pixels]
    )
    with contextlib.redirect_stdout(io.StringIO()):  # it prints the signature
        archive.write_out(str(folder), verbose=False)
