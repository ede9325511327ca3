"""The last step of every export: stage the file, prove it, and only then put it where the user wants it."""

import dataclasses
import json
import os
import tempfile
from pathlib import Path

import keras

from kerasface.edge.metadata import sidecar_path
from kerasface.errors import KerasfaceError
from kerasface.export.identity import embedder_id
from kerasface.export.metadata import write_sidecar
from kerasface.export.parity import ParityReport, check, natural_images, require
from kerasface.export.strip import strip

__all__ = ["MIN_IMAGES", "ExportReport", "hand_over", "prepare"]

MIN_IMAGES = 64


@dataclasses.dataclass(frozen=True)
class ExportReport:
    """What an export wrote, and the proof that came with it.

    Args:
        path: the file; its sidecar is `PATH.json`.
        format: "tflite" or "onnx".
        precision: of the weights: "fp32" or "fp16".
        bytes: the file's size.
        sha256: of the file, as in the sidecar.
        embedder_id: the model's, the same in all of its files.
        parity: `ParityReport` of the file against the Keras model.
    """

    path: str
    format: str
    precision: str
    bytes: int
    sha256: str
    embedder_id: str
    parity: ParityReport

    def to_json(self):
        """Returns the report as a JSON text, keys sorted."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)


def prepare(model, path, spec):
    """Refuses, before the slow conversion, what would fail after it.

    Args:
        model: `FaceModel` or bare backbone.
        path: where the file will go.
        spec: `EmbedderSpec`.

    Returns:
        the stripped embedder.

    Raises:
        KerasfaceError: Keras runs on another backend, no such folder, a folder where a file should go, or another
            model's spec.
        ValueError: as `strip`.
    """
    path = Path(path)
    if keras.backend.backend() != "tensorflow":
        raise KerasfaceError(
            "the converters read TensorFlow graphs: save the model, and export it where KERAS_BACKEND=tensorflow. "
            f"Received: backend={keras.backend.backend()!r}"
        )
    if not path.parent.is_dir():
        raise KerasfaceError(f"no folder {path.parent} to export into: create it first. Received: {path}")
    for target in (path, sidecar_path(path)):
        if target.is_dir():
            raise KerasfaceError(f"expected the path of a file to write, but {target} is a folder. Received: {path}")
    embedder = strip(model, spec)
    actual = embedder_id(embedder, spec)
    if actual != spec.embedder_id:
        raise KerasfaceError(
            f"the spec belongs to other weights or other preprocessing: the model's embedder_id is {actual}. Build the "
            f"spec anew with embedder_spec(model, name=…). Received: embedder_id={spec.embedder_id!r}"
        )
    return embedder


def hand_over(content, path, *, embedder, spec, format, precision, images=None):
    """Proves a converted file against its Keras model and puts it, with its sidecar, in place.

    Both are written into a temporary folder beside the target, checked there, and moved; when anything fails, the
    folder vanishes and what stood at `path` before stays.

    Args:
        content: the converted file's bytes.
        path: where it goes.
        embedder: what `strip` gave.
        spec: `EmbedderSpec`, for the sidecar.
        format: "tflite" or "onnx", for the report.
        precision: "fp32" or "fp16"; it chooses the bounds.
        images: uint8 (N, H, W, 3) RGB, at least 64, to prove it on; by default 64 of `natural_images`.

    Returns:
        `ExportReport`.

    Raises:
        KerasfaceError: the file is not equal to its model within the bounds of its precision, or can't run.
        ValueError: fewer than 64 images, or of another shape or dtype.
    """
    path = Path(path)
    if images is None:
        images = natural_images(MIN_IMAGES, height=spec.input_height, width=spec.input_width)
    if images.shape[1:] != spec.input_shape or images.dtype != "uint8" or len(images) < MIN_IMAGES:
        raise ValueError(
            f"expected at least {MIN_IMAGES} uint8 images of {spec.input_shape}. "
            f"Received: {images.dtype} {images.shape}"
        )
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        staged = Path(folder) / path.name
        staged.write_bytes(content)
        sidecar = write_sidecar(staged, spec)
        parity = check(embedder, staged, images)
        require(parity, precision)
        report = ExportReport(
            path=str(path),
            format=format,
            precision=precision,
            bytes=sidecar["bytes"],
            sha256=sidecar["sha256"],
            embedder_id=spec.embedder_id,
            parity=parity,
        )
        # A crash between the two leaves a sidecar whose sha256 does not match, which the runtime refuses.
        os.replace(staged, path)
        os.replace(sidecar_path(staged), sidecar_path(path))
    return report
