"""The three files that a build makes of a trained model, each proven, and calibrated with what it gives itself."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kerasface.edge.images import load_image
from kerasface.edge.metadata import read_spec
from kerasface.errors import KerasfaceError
from kerasface.evaluation import calibrate_embedder, unit
from kerasface.export import Calibration, embedder_spec, export, load_trained, natural_images, open_artefact
from kerasface.export.metadata import write_sidecar
from kerasface.export.parity import BOUNDS
from kerasface.spec import EmbedderSpec
from kerasface.zoo.workshop.half import embedder_in_halves, save_in_halves

__all__ = ["FARS", "Artefact", "make_artefacts"]

# From convenience to caution.
FARS = (1e-2, 1e-3)
_PROOF = 256
_FEWEST = 64


@dataclasses.dataclass(frozen=True, eq=False)
class Artefact:
    """One file of a build.

    Args:
        path: of the file; its sidecar lies beside it.
        spec: `EmbedderSpec` with the thresholds calibrated on this very file.
        against: what the proof compared it with.
        min_cosine, mean_cosine: of the proof.
        images_from: what the proof's images were.
        embed: callable, uint8 (B, H, W, 3) RGB -> (B, D) float.
    """

    path: Path
    spec: EmbedderSpec
    against: str
    min_cosine: float
    mean_cosine: float
    images_from: str
    embed: Callable


def make_artefacts(model, folder, *, name, training_data, licence, held_out):
    """Writes a model's Keras file in float16, and of exactly its weights TFLite files in fp16 and int8.

    Args:
        model: trained `FaceModel`.
        folder: to write into.
        name: of the model, `architecture.head_data`.
        training_data, licence: for the spec.
        held_out: `FaceSource` of people that training never saw: thresholds are chosen on them.

    Returns:
        `(artefacts, left_out)`: `Artefact`s by the manifest's format, and why a false accept rate has no threshold.

    Raises:
        KerasfaceError: weights beyond float16, a file that doesn't answer as its model, or people too few to choose
            any threshold on.
    """
    embedder = embedder_in_halves(model)
    spec = embedder_spec(embedder, name=name, training_data=training_data, licence=licence)
    images, images_from = _proof_images(held_out, spec)
    calibrated_on = f"{len(held_out.names)} people held out of {training_data}"
    keras_file, left_out = _keras(model, embedder, spec, folder, images, images_from, held_out, calibrated_on)
    artefacts = {"keras": keras_file}
    for precision in ("fp16", "int8"):
        path = Path(folder) / f"{name}.{precision}.tflite"
        calibration = Calibration(held_out.photos, held_out.labels, calibrated_on, FARS)
        report = export(
            embedder, path, to="tflite", precision=precision, spec=spec, images=images, calibration=calibration
        )
        artefacts[f"tflite-{precision}"] = Artefact(
            path,
            read_spec({}, path.read_bytes(), path),
            "the Keras file's model",
            report.parity.min_cosine,
            report.parity.mean_cosine,
            images_from,
            open_artefact(path),
        )
    return artefacts, left_out


def _keras(model, embedder, spec, folder, images, images_from, held_out, calibrated_on):
    path = Path(folder) / f"{spec.name}.keras"
    save_in_halves(embedder, path)
    write_sidecar(path, spec)
    saved, _ = load_trained(path)  # the file itself is proven, not what it was written from
    if embedder_spec(saved, name=spec.name).embedder_id != spec.embedder_id:
        raise KerasfaceError(f"{path.name} came back with other weights than were written: don't ship it.")
    whole, half = (_unit(one, images) for one in (model, saved))
    cosines = np.sum(whole * half, axis=1)
    bound = BOUNDS["fp16"]["min_cosine"]
    if not cosines.min() >= bound:  # NaN fails too
        raise KerasfaceError(
            f"rounding the weights to float16 changes embeddings: expected cosines of at least {bound}. Received: "
            f"{cosines.min():.6f} on {images_from}"
        )
    calibrated, left_out = calibrate_embedder(
        saved.predict_on_batch,
        spec,
        held_out.photos,
        held_out.labels,
        fars=FARS,
        calibrated_on=calibrated_on,
        precision="fp16",
    )
    write_sidecar(path, calibrated)
    artefact = Artefact(
        path,
        calibrated,
        "the trained model in float32",
        float(cosines.min()),
        float(cosines.mean()),
        images_from,
        saved.predict_on_batch,
    )
    return artefact, left_out


def _proof_images(held_out, spec):
    if len(held_out) < _FEWEST:
        return natural_images(_FEWEST, height=spec.input_height, width=spec.input_width), f"{_FEWEST} generated images"
    rows = np.unique(np.linspace(0, len(held_out) - 1, _PROOF).round().astype(int))
    images = np.stack([load_image(held_out.photos[row]) for row in rows])
    return images, f"{len(images)} photos of people held out"


def _unit(model, images):
    return unit(np.concatenate([model.predict_on_batch(images[start : start + 32]) for start in _starts(images, 32)]))


def _starts(images, batch):
    return range(0, len(images), batch)
