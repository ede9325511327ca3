"""The last step of every export: stage the artefact, prove it, calibrate it, and only then put it where it belongs."""

import dataclasses
import os
import tempfile
from pathlib import Path
from typing import Any

import keras

from kerasface.edge.delegation import delegation
from kerasface.edge.metadata import sidecar_path
from kerasface.errors import KerasfaceError
from kerasface.export.artefact import open_artefact
from kerasface.export.identity import embedder_id
from kerasface.export.metadata import write_sidecar
from kerasface.export.parity import check, natural_images, require
from kerasface.export.report import ExportReport
from kerasface.export.stripping import strip

__all__ = ["MIN_IMAGES", "Calibration", "hand_over", "prepare"]

MIN_IMAGES = 64
INPUT_DTYPES = ("uint8", "float32")


@dataclasses.dataclass(frozen=True)
class Calibration:
    """People on whom the finished artefact's thresholds are chosen.

    Args:
        images: N paths of aligned crops, or (N, H, W, 3) uint8 RGB, of people that training never saw.
        labels: (N,) int, the person on each.
        name: of the set, as a user should read it.
        fars: wanted false accept rates; those that the set can't support are left out.

    Example:
        >>> faces = open_faces("staff/aligned")
        >>> staff = Calibration(faces.photos, faces.labels, "staff")
        >>> export(model, "face.tflite", to="tflite", spec=spec, calibration=staff)
    """

    images: Any
    labels: Any
    name: str
    fars: tuple[float, ...] = (1e-2, 1e-3)


def prepare(model, path, spec, *, input_dtype="uint8"):
    """Refuses, before the slow conversion, what would fail after it.

    Args:
        model: `FaceModel` or bare backbone.
        path: where the file will go.
        spec: `EmbedderSpec`.
        input_dtype: of the pixels.

    Returns:
        the stripped embedder.

    Raises:
        KerasfaceError: Keras runs on another backend, no such folder, a folder where a file should go, or another
            model's spec.
        ValueError: an input type of another kind, or as `strip`.
    """
    path = Path(path)
    if input_dtype not in INPUT_DTYPES:
        raise ValueError(f"input_dtype must be one of {INPUT_DTYPES}. Received: input_dtype={input_dtype!r}")
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
    embedder = strip(model, spec, input_dtype=input_dtype)
    actual = embedder_id(embedder, spec)
    if actual != spec.embedder_id:
        raise KerasfaceError(
            f"the spec belongs to other weights or other preprocessing: the model's embedder_id is {actual}. Build the "
            f"spec anew with embedder_spec(model, name=…). Received: embedder_id={spec.embedder_id!r}"
        )
    return embedder


def hand_over(write, path, *, embedder, spec, format, precision, images=None, calibration=None):
    """Proves a converted artefact against its Keras model and puts it, with its sidecar, in place.

    Both are written into a temporary folder beside the target, checked and calibrated there, and moved; when anything
    fails, the folder vanishes and what stood at `path` before stays.

    Args:
        write: called as `write(staged, spec)`, puts the artefact with this spec in it at the path `staged`.
        path: where it goes.
        embedder: what `strip` gave.
        spec: `EmbedderSpec`.
        format: "tflite", "onnx" or "saved-model", for the report.
        precision: of the weights; it chooses the bounds.
        images: uint8 (N, H, W, 3) RGB, at least 64, to prove it on; by default 64 of `natural_images`.
        calibration: `Calibration`; its thresholds take the place of those in `spec`, which are another artefact's.

    Returns:
        `ExportReport`.

    Raises:
        KerasfaceError: the artefact is not equal to its model within the bounds of its precision, can't run, or can't
            be calibrated.
        ValueError: fewer than 64 images, or of another shape or dtype.
    """
    path = Path(path)
    images_from = "images given"
    if images is None:
        images = natural_images(MIN_IMAGES, height=spec.input_height, width=spec.input_width)
        images_from = "generated images"
    if images.shape[1:] != spec.input_shape or images.dtype != "uint8" or len(images) < MIN_IMAGES:
        raise ValueError(
            f"expected at least {MIN_IMAGES} uint8 images of {spec.input_shape}. "
            f"Received: {images.dtype} {images.shape}"
        )
    with tempfile.TemporaryDirectory(prefix=f".{path.name}.", dir=path.parent) as folder:
        staged = Path(folder) / path.name
        write(staged, spec)
        parity = check(embedder, staged, images)
        require(parity, precision)
        if calibration is not None:
            spec = _calibrated(staged, spec, precision, calibration)
            write(staged, spec)
        sidecar = write_sidecar(staged, spec)
        report = ExportReport(
            path=str(path),
            format=format,
            precision=precision,
            input_dtype=str(embedder.input.dtype),
            bytes=sidecar["bytes"],
            sha256=sidecar["sha256"],
            embedder_id=spec.embedder_id,
            images_from=images_from,
            parity=parity,
            delegation=delegation(staged) if format == "tflite" else None,
            thresholds=spec.thresholds,
        )
        # A crash between the two leaves a sidecar whose sha256 does not match, which the runtime refuses.
        os.replace(staged, path)
        os.replace(sidecar_path(staged), sidecar_path(path))
    return report


def _calibrated(staged, spec, precision, calibration):
    from kerasface.evaluation import calibrate_embedder

    calibrated, _ = calibrate_embedder(
        open_artefact(staged),
        spec,
        calibration.images,
        calibration.labels,
        fars=calibration.fars,
        calibrated_on=calibration.name,
        precision=precision,
    )
    return calibrated
