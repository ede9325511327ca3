"""Weights in half the bytes: a `.keras` file whose numbers are float16, loaded by Keras as any other."""

import os
import tempfile
import zipfile
from pathlib import Path

import h5py
import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.model import FaceModel

__all__ = ["embedder_in_halves", "save_in_halves"]

_WEIGHTS = "model.weights.h5"


def embedder_in_halves(model):
    """Returns the embedder of a trained model with every weight rounded to float16, and without what trained it.

    Its layers still hold and compute float32: files that are made from it, and its `embedder_id`, are those of exactly
    the numbers that `save_in_halves` writes.

    Args:
        model: `FaceModel`; it is left as it is.

    Returns:
        `FaceModel` without a head.

    Raises:
        KerasfaceError: a weight that float16 can't hold.
    """
    backbone = type(model.backbone).from_config({**model.backbone.get_config(), "dtype": "float32"})
    rounded = []
    for weight in model.backbone.weights:
        values = np.asarray(weight, np.float32)
        with np.errstate(over="ignore"):
            half = values.astype(np.float16)
        if not np.isfinite(half).all():
            raise KerasfaceError(
                f"float16 can't hold {weight.path}: its largest value is {np.abs(values).max():g}, beyond 65,504, or "
                "no number. Train with weight decay, or export other formats with `kerasface export`."
            )
        rounded.append(half.astype(np.float32))
    backbone.set_weights(rounded)
    return FaceModel(
        backbone, mean=model.mean, std=model.std, color_order=model.color_order, name=model.name, dtype="float32"
    )


def save_in_halves(model, path):
    """Writes a model as a `.keras` file with float16 numbers.

    Keras gives variables the type of their layers, whatever the file's: it loads in safe mode, with nothing of ours but
    the classes.

    Args:
        model: from `embedder_in_halves`.
        path: of the file; it appears whole or not at all.

    Raises:
        ValueError: a weight that isn't a float16 number.
    """
    path = Path(path)
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        whole, draft = Path(folder) / "whole.keras", Path(folder) / path.name
        model.save(whole)
        with zipfile.ZipFile(whole) as source, zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as target:
            for name in source.namelist():
                if name == _WEIGHTS:
                    source.extract(name, folder)
                    _halve(Path(folder) / name, Path(folder) / "half.h5")
                    target.write(Path(folder) / "half.h5", name)
                else:
                    target.writestr(name, source.read(name))
        os.replace(draft, path)


def _halve(source, target):
    with h5py.File(source) as whole, h5py.File(target, "w") as half:

        def copy(name, entry):
            if isinstance(entry, h5py.Group):
                copied = half.require_group(name)
            else:
                values = entry[()]
                if values.dtype == np.float32:
                    if not np.array_equal(values.astype(np.float16).astype(np.float32), values):
                        raise ValueError(f"{name} must hold float16 numbers: round the model first.")
                    values = values.astype(np.float16)
                copied = half.create_dataset(name, data=values)
            copied.attrs.update(entry.attrs)

        half.attrs.update(whole.attrs)
        whole.visititems(copy)
