"""Reads a trained model with the spec that its training wrote beside it."""

import json
import zipfile
from pathlib import Path

import keras

from kerasface.edge.metadata import sidecar_path
from kerasface.errors import KerasfaceError
from kerasface.model import FaceModel
from kerasface.spec import EmbedderSpec

__all__ = ["load_trained"]


def load_trained(path):
    """Loads a `.keras` file that `kerasface.training.train` wrote.

    Args:
        path: of the file; its spec is read from `PATH.json`.

    Returns:
        `(FaceModel, EmbedderSpec)`.

    Raises:
        KerasfaceError: no such file, a damaged one, one that is no FaceModel, or no spec beside it.

    Example:
        >>> model, spec = load_trained("runs/first/best.keras")
        >>> export(model, "first.tflite", to="tflite", spec=spec)
    """
    path = Path(path)
    if not path.is_file():
        raise KerasfaceError(f"no model {path}: expected a .keras file, as training writes it.")
    # The legacy formats that Keras would also try, by the ending of the name, could hold code.
    if path.suffix != ".keras" or not zipfile.is_zipfile(path):
        raise KerasfaceError(f"{path} is no .keras file (a zip archive), as `kerasface train` writes it.")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for a file that isn't its own
        raise KerasfaceError(f"{path} is not a readable Keras model: {error}") from error
    if not isinstance(model, FaceModel):
        raise KerasfaceError(f"{path} holds no FaceModel. Received: {type(model).__name__}")
    try:
        spec = EmbedderSpec.from_json(json.dumps(json.loads(sidecar_path(path).read_text(encoding="utf-8"))["spec"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KerasfaceError(
            f"no readable spec beside {path} (expected {sidecar_path(path).name}: {error}). "
            "A model of your own gets one with kerasface.export.embedder_spec(model, name=…)."
        ) from error
    return model, spec
