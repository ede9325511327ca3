"""The demo's story: render, train, evaluate, export, run on the device, report."""

import dataclasses
import json
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf
from rich.console import Console
from rich.table import Table

from kerasface import FaceModel, heads
from kerasface.data import Augmentation
from kerasface.demo.baseline import pixel_baselines
from kerasface.demo.faces import DemoFaces
from kerasface.demo.network import demo_network
from kerasface.demo.page import write_page
from kerasface.errors import KerasfaceError
from kerasface.evaluation import calibrate_tail, impostor_tail, open_set, pair_scores, represent, sample_pairs, verify
from kerasface.export import embedder_spec, export
from kerasface.progress import progress_bar
from kerasface.training.progress.callbacks import FiniteLoss, ProgressDisplay

__all__ = ["DemoResult", "run_demo"]

_PEOPLE = (300, 40, 60)  # training, validation, test
_IMAGES = (16, 8, 10)
_BATCH, _EPOCHS = 128, 20
_AUGMENTATION = Augmentation(mirror=0.5, shift=0.02, brightness=0.1, contrast=0.15, saturation=0.3)
_GALLERY_PEOPLE, _ENROLLED_IMAGES = 40, 3
_VALIDATION_PAIRS, _TEST_PAIRS = 1500, 4000
_FAR = 1e-3
_SHOWN_PROBES = 12


@dataclasses.dataclass(frozen=True)
class DemoResult:
    """Every figure of the demo; accuracies and rates lie in [0, 1].

    Args:
        training_seconds, total_seconds: wall time.
        training_people, training_images: seen by `fit`.
        history: one dict an epoch: loss, validation accuracy.
        verification: `VerificationResult` on unseen people, as a dict.
        open_set: `OpenSetResult` on unseen people, as a dict.
        baselines: the same task by pixels alone, as a dict.
        exports: one `ExportReport` a file, as dicts.
        threshold: the cosine used, with its FAR and set.
        device: what the TensorFlow-free process answered, counted.
        files: everything written.
    """

    training_seconds: float
    total_seconds: float
    training_people: int
    training_images: int
    history: tuple[dict, ...]
    verification: dict
    open_set: dict
    baselines: dict
    exports: tuple[dict, ...]
    threshold: dict
    device: dict
    files: tuple[str, ...]

    def to_json(self):
        """Returns the result as a JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=1)


def run_demo(out, *, console=None):
    """Runs the whole way on synthetic identities and writes `report.html`.

    The people are rendered, not photographed: the figures say that the machinery works, and nothing about real faces.

    Args:
        out: folder to fill.
        console: `rich.console.Console`; a new one by default.

    Returns:
        `DemoResult`.

    Raises:
        KerasfaceError: the exported file disagrees with Keras, or the device process fails.

    Example:
        >>> run_demo("demo").verification["accuracy_mean"]
        0.95
    """
    console = console or Console()
    out = Path(out)
    out.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()

    with progress_bar(console, "rendering synthetic people") as update:
        faces = DemoFaces.render(people=_PEOPLE, images=_IMAGES, progress=update)
    console.print(f"rendered {len(faces.training.images):,} training images of {faces.training.people} people")
    model, history, training_seconds = _trained(faces, console)
    embeddings, validation = _unit(model, faces.test.images), _unit(model, faces.validation.images)

    threshold = _calibrated(validation, faces.validation.labels)
    pairs = sample_pairs(faces.test.labels, num_pairs=_TEST_PAIRS, seed=1)
    scores = pair_scores(embeddings, pairs)
    verification = verify(scores, pairs.same, pairs.folds)
    gallery = _gallery_rows(faces.test.labels)
    searched = open_set(
        embeddings[gallery], faces.test.labels[gallery], embeddings[~gallery], faces.test.labels[~gallery],
        threshold=threshold.cosine,
    )  # fmt: skip
    with console.status("measuring what pixels alone would do"):
        baselines = pixel_baselines(faces.training.images, faces.training.labels, faces.test.images, faces.test.labels)

    exports = _exported(model, threshold, out, console)
    probes, verdicts, device = _on_the_device(faces.test, gallery, out)
    result = DemoResult(
        training_seconds=training_seconds,
        total_seconds=time.monotonic() - started,
        training_people=faces.training.people,
        training_images=len(faces.training.images),
        history=tuple(history),
        verification=json.loads(verification.to_json()),
        open_set=json.loads(searched.to_json()),
        baselines=baselines.to_json(),
        exports=exports,
        threshold=dataclasses.asdict(threshold),
        device=device,
        files=("report.html", "result.json", "embedder.tflite", "embedder.onnx", "gallery.kfg"),
    )
    (out / "result.json").write_text(result.to_json() + "\n", encoding="utf-8")
    write_page(result, out / "report.html", scores=scores, same=pairs.same, probes=probes, verdicts=verdicts)
    _print_summary(result, out, console)
    return result


def _trained(faces, console):
    """Trains by `model.fit`; returns the model, an entry an epoch, and the seconds."""
    keras.utils.set_random_seed(1)
    head = heads.get("cosface", num_classes=faces.training.people, scale=20.0, margin=0.15)
    model = FaceModel(demo_network(), head, name="demo")
    steps = len(faces.training.images) // _BATCH
    decay = keras.optimizers.schedules.CosineDecay(2e-3, steps * _EPOCHS)
    model.compile(optimizer=keras.optimizers.AdamW(decay, weight_decay=0.01))
    batches = (
        tf.data.Dataset.from_tensor_slices((faces.training.images, faces.training.labels))
        .shuffle(len(faces.training.images), seed=1)
        .enumerate()
        .map(_augmented, num_parallel_calls=tf.data.AUTOTUNE)
        .batch(_BATCH, drop_remainder=True)
        .prefetch(2)
    )
    display = ProgressDisplay(console, batch_size=_BATCH, first_step=0, last_step=steps * _EPOCHS)
    validation = _ValidationAccuracy(faces.validation, console)
    started = time.monotonic()
    model.fit(batches, epochs=_EPOCHS, shuffle=False, verbose=0, callbacks=[FiniteLoss(), display, validation])
    return model, validation.history, time.monotonic() - started


def _augmented(index, face):
    image, label = face
    return _AUGMENTATION(tf.cast(image, tf.float32), seed=tf.stack([index, index])), label


class _ValidationAccuracy(keras.callbacks.Callback):
    """Verifies unseen people after every epoch."""

    def __init__(self, part, console):
        super().__init__()
        self.part, self.console, self.history = part, console, []
        self.pairs = sample_pairs(part.labels, num_pairs=_VALIDATION_PAIRS, seed=2)

    def on_epoch_end(self, epoch, logs=None):
        scores = pair_scores(_unit(self.model, self.part.images), self.pairs)
        accuracy = verify(scores, self.pairs.same, self.pairs.folds).accuracy_mean
        self.history.append({"epoch": epoch + 1, "loss": logs["loss"], "validation_accuracy": accuracy})
        self.console.print(f"epoch {epoch + 1}/{_EPOCHS}  loss {logs['loss']:.3f}  unseen people {accuracy:.1%} right")


def _unit(model, images):
    return represent(model.predict_on_batch, images, flip="none", batch_size=64)


def _calibrated(unit, labels):
    tail = impostor_tail(unit, labels, rate=_FAR)
    return calibrate_tail(tail, far=_FAR, calibrated_on=f"{labels.max() + 1} other synthetic people", precision="fp32")


def _gallery_rows(labels):
    """Marks the first images of the people who are enrolled."""
    number = np.concatenate([np.arange(count) for count in np.bincount(labels)])
    return (labels < _GALLERY_PEOPLE) & (number < _ENROLLED_IMAGES)


def _exported(model, threshold, out, console):
    spec = embedder_spec(
        model,
        name="demo.cosface_synthetic",
        training_data="synthetic identities rendered by kerasface",
        licence="Apache-2.0",
        thresholds=[threshold],
    )
    reports = []
    for to in ("tflite", "onnx"):
        with console.status(f"exporting to {to} and proving it"):
            report = export(model, out / f"embedder.{to}", to=to, spec=spec)
        reports.append(json.loads(report.to_json()))
    return tuple(reports)


def _on_the_device(test, gallery, out):
    """Enrols and identifies in a process without TensorFlow; returns probes to show, their verdicts and the counts."""
    names = np.array([f"person {label}" for label in test.labels])
    rows = np.flatnonzero(~gallery)
    with_faces = out / "faces.npz"
    np.savez(
        with_faces, enroll_images=test.images[gallery], enroll_names=names[gallery], probe_images=test.images[rows]
    )
    command = [sys.executable, "-m", "kerasface.demo.device", out / "embedder.tflite", with_faces, out / "gallery.kfg"]
    process = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False)
    if process.returncode:
        raise KerasfaceError(f"the device process failed: {process.stderr.strip().splitlines()[-1]}")
    answer = json.loads(process.stdout)
    if answer["tensorflow_imported"]:
        raise KerasfaceError("the device process imported TensorFlow: kerasface.edge must do without it")
    with_faces.unlink()
    known = test.labels[rows] < _GALLERY_PEOPLE
    named = np.array([match["name"] or "" for match in answer["matches"]])
    right = named == names[rows]
    device = {
        "people": answer["people"],
        "known_probes": int(known.sum()),
        "known_named_right": int(right[known].sum()),
        "known_named_wrong": int(((named != "") & ~right)[known].sum()),
        "unknown_probes": int((~known).sum()),
        "unknown_refused": int((named[~known] == "").sum()),
    }
    shown = _some_of_both(known)
    verdicts = [
        {
            "truth": names[rows[i]] if known[i] else "stranger",
            "answer": answer["matches"][i]["name"] or "unknown",
            "score": answer["matches"][i]["score"],
            "right": bool(right[i] if known[i] else named[i] == ""),
        }
        for i in shown
    ]
    return test.images[rows[shown]], verdicts, device


def _some_of_both(known):
    """Rows of known and unknown probes to show, drawn without a look at the answers."""
    rng, half = np.random.default_rng(0), _SHOWN_PROBES // 2
    return np.concatenate([rng.choice(np.flatnonzero(group), half, replace=False) for group in (known, ~known)])


def _print_summary(result, out, console):
    table = Table(title="kerasface demo: synthetic people, none of the tested ones seen in training", show_header=False)
    verification, searched, device = result.verification, result.open_set, result.device
    accuracy, std = verification["accuracy_mean"], verification["accuracy_std"]
    baselines = result.baselines
    rows = {
        "verification, 10 folds": f"{accuracy:.1%} ± {std:.1%}, AUC {verification['auc']:.4f}",
        "the same by pixels": f"cosine {baselines['cosine_accuracy']:.1%}, LDA {baselines['lda_accuracy']:.1%}",
        "identification, rank 1": f"{searched['rank1']:.1%} of {searched['known_probes']} probes",
        "at the threshold": f"FPIR {searched['fpir']:.1%}, FNIR {searched['fnir']:.1%}",
        "threshold": f"cosine {result.threshold['cosine']:.3f} for FAR {result.threshold['far']:g}",
        "device, known people": f"{device['known_named_right']} of {device['known_probes']} named right, "
        f"{device['known_named_wrong']} wrong",
        "device, strangers": f"{device['unknown_refused']} of {device['unknown_probes']} refused",
    }
    for report in result.exports:
        parity = report["parity"]
        rows[f"{report['format']} {report['precision']}"] = (
            f"{report['bytes'] / 1e6:.2f} MB, min cosine to Keras {parity['min_cosine']:.6f}"
        )
    rows["time"] = f"{result.total_seconds:.0f} s, of which training {result.training_seconds:.0f} s"
    for name, value in rows.items():
        table.add_row(name, value)
    table.add_section()
    for file in result.files:
        table.add_row("wrote", str(out / file))
    console.print(table)
