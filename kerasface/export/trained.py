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

_IMPORTED = (".pth", ".pt", ".safetensors")


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
        way_out = (
            f" `kerasface zoo import {path} --arch … --name …` makes one of it." if path.suffix in _IMPORTED else ""
        )
        if path.suffix in (".h5", ".hdf5"):
            way_out = " An .h5 that you trust becomes one as docs/migrating.md shows (a trained model)."
        raise KerasfaceError(f"{path} is no .keras file (a zip archive), as `kerasface train` writes it.{way_out}")
    try:
        model = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises many kinds for a file that isn't its own
        _check_classes(path)
        raise KerasfaceError(f"{path} is not a readable Keras model: {error}") from error
    if not isinstance(model, FaceModel):
        raise KerasfaceError(
            f"{path} holds no FaceModel. Received: {type(model).__name__}. An embedder that was made with Keras alone "
            "becomes one as docs/migrating.md shows (a trained model)."
        )
    try:
        spec = EmbedderSpec.from_json(json.dumps(json.loads(sidecar_path(path).read_text(encoding="utf-8"))["spec"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KerasfaceError(
            f"no readable spec beside {path} (expected {sidecar_path(path).name}: {error}). "
            "A model of your own gets one with kerasface.export.embedder_spec(model, name=…)."
        ) from error
    return model, spec


def _check_classes(path):
    """Raises when the file needs a class, such as a head of the user's own, whose module nobody has imported."""
    try:
        with zipfile.ZipFile(path) as archive:
            nodes = [json.loads(archive.read("config.json"))]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile):
        return
    while nodes:
        node = nodes.pop()
        if isinstance(node, list):
            nodes += node
        elif isinstance(node, dict):
            nodes += node.values()
            name = node.get("registered_name")
            if isinstance(name, str) and ">" in name and not keras.saving.get_registered_object(name):
                module = node.get("module")  # None: of the very program that saved it
                where = (
                    f"of {str(module).replace('.', '/')}.py" if module else "of the program or notebook that saved it"
                )
                raise KerasfaceError(
                    f"{path} needs {node.get('class_name')}, a class {where}, which isn't imported, and nothing that "
                    "a file names is imported by itself. Import it first, from a file; commands know it when a "
                    "program of yours imports it and calls kerasface.cli.main() (docs/choosing-a-head.md, at its end)."
                )
