"""Keras and every precision of one model, side by side on a verification set."""

import dataclasses
import functools
import json
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.export.artefact import open_artefact

__all__ = ["FAR", "Compared", "Comparison", "compare"]

# What a verification set of a few thousand impostor pairs can support.
FAR = 1e-2


@dataclasses.dataclass(frozen=True)
class Compared:
    """One row of a comparison.

    Args:
        artefact: "Keras" or the precision of a TFLite file.
        accuracy: mean over folds; None where the set has none.
        accuracy_std: over folds.
        tar_at_far: true accept rate by false accept rate; None where the set can't support the rate.
        cosine: from which a pair is accepted at `FAR`, chosen with this artefact; None likewise.
        bytes: of the file; None for Keras.
        refused: why there is no such file, else None.
    """

    artefact: str
    accuracy: float | None = None
    accuracy_std: float | None = None
    tar_at_far: dict[float, float | None] = dataclasses.field(default_factory=dict)
    cosine: float | None = None
    bytes: int | None = None
    refused: str | None = None


@dataclasses.dataclass(frozen=True)
class Comparison:
    """Keras and the TFLite precisions on one verification set.

    Args:
        benchmark: name of the set.
        genuine_pairs, impostor_pairs: in it.
        rows: one a precision, Keras first.
    """

    benchmark: str
    genuine_pairs: int
    impostor_pairs: int
    rows: tuple[Compared, ...]

    def to_json(self):
        """Returns the comparison as a JSON text, keys sorted."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    def table(self):
        """Returns the headings and the rows of texts."""
        fars = [far for far, tar in self.rows[0].tar_at_far.items() if tar is not None]
        headings = ["as", "accuracy", *(f"TAR at FAR {far:g}" for far in fars), f"cosine at FAR {FAR:g}", "MB"]
        return headings, [_texts(row, fars) for row in self.rows]

    def to_markdown(self):
        """Returns the comparison as a Markdown table."""
        headings, rows = self.table()
        lines = [f"| {' | '.join(headings)} |", "|---" * len(headings) + "|"]
        return "\n".join([*lines, *(f"| {' | '.join(row)} |" for row in rows)]) + "\n"


def compare(model, spec, pair_set, *, precisions, convert: Callable, progress=None) -> Comparison:
    """Measures a Keras model and its TFLite files on a verification set.

    Args:
        model: what `strip` gave.
        spec: `EmbedderSpec`; its flip is used.
        pair_set: `evaluation.PairSet`.
        precisions: of `tflite.PRECISIONS`.
        convert: called as `convert(path, precision)`, writes the file and its sidecar. A precision that it refuses
            with a `KerasfaceError` gets a row that says why.
        progress: called as `progress(done, total)`, in images of one precision.

    Returns:
        `Comparison`.

    Example:
        >>> compare(strip(model), spec, read_lfw("data/lfw"), precisions=("fp16", "int8"), convert=convert).rows
    """
    keras_embed = functools.partial(model.predict, batch_size=64, verbose=0)
    rows = [_measured("Keras", keras_embed, spec, pair_set, progress)]
    with tempfile.TemporaryDirectory(prefix="kerasface-") as folder:
        for precision in precisions:
            path = Path(folder) / f"{precision}.tflite"
            try:
                convert(path, precision)
            except KerasfaceError as error:
                rows.append(Compared(precision, refused=str(error)))
                continue
            row = _measured(precision, open_artefact(path), spec, pair_set, progress)
            rows.append(dataclasses.replace(row, bytes=path.stat().st_size))
    same = pair_set.pairs.same
    return Comparison(pair_set.name, int(np.sum(same)), int(np.sum(~same)), tuple(rows))


def _measured(name, embed, spec, pair_set, progress):
    from kerasface.evaluation import calibrate, report_pairs, score_set

    scores = score_set(embed, pair_set, flip=spec.flip, progress=progress)
    result = report_pairs(scores, pair_set, flip=spec.flip).result
    try:
        threshold = calibrate(scores, pair_set.pairs.same, far=FAR, calibrated_on=pair_set.name, precision=name)
        cosine = threshold.cosine
    except KerasfaceError:  # too few impostor pairs
        cosine = None
    return Compared(name, result.accuracy_mean, result.accuracy_std, dict(result.tar_at_far), cosine)


def _texts(row, fars):
    if row.refused is not None:
        return [row.artefact, row.refused, *[""] * len(fars), "", ""]
    accuracy = "–" if row.accuracy is None else f"{row.accuracy:.2%} ± {row.accuracy_std:.2%}"
    tars = [f"{row.tar_at_far[far]:.2%}" for far in fars]
    cosine = "–" if row.cosine is None else f"{row.cosine:.4f}"
    return [row.artefact, accuracy, *tars, cosine, "" if row.bytes is None else f"{row.bytes / 1e6:.2f}"]
