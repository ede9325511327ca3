"""Checkpoints: a whole run on disk, written so that a killed process never leaves a half one in its place."""

import hashlib
import json
import os
import shutil
from pathlib import Path

import keras
import numpy as np

from kerasface.errors import KerasfaceError

__all__ = ["Checkpoints"]

_KEPT = 2
_MODEL = "model.keras"
_RECORD = "state.json"


class Checkpoints:
    """The newest checkpoints of a run, in a folder of their own.

    A checkpoint is a folder `step_00001234` with the whole model (weights, head state, optimizer) and a JSON file of
    the run's state and the model file's SHA-256. It is written beside its place and renamed into it; the two newest
    are kept, so that a damaged one leaves another to fall back on.

    Args:
        folder: created when the first checkpoint is written.

    Example:
        >>> checkpoints = Checkpoints("runs/first/checkpoints")
        >>> checkpoints.write(model, {"step": 1234})
        >>> model, state = checkpoints.newest()
    """

    def __init__(self, folder):
        self.folder = Path(folder)
        self._damaged = []

    def write(self, model, state):
        """Writes a checkpoint and drops the oldest, and those that `newest` found damaged.

        Args:
            model: compiled `FaceModel`.
            state: JSON-able dict with an int "step".

        Raises:
            KerasfaceError: the disk is full, or the folder can't be written; older checkpoints are untouched.
        """
        place = self.folder / f"step_{state['step']:08d}"
        draft = self.folder / ".draft"
        shutil.rmtree(draft, ignore_errors=True)
        try:
            draft.mkdir(parents=True)
            model.save(draft / _MODEL)
            record = {"sha256": _sha256(draft / _MODEL), "state": state}
            (draft / _RECORD).write_text(json.dumps(record, indent=1), encoding="utf-8")
            _sync(draft)
            shutil.rmtree(place, ignore_errors=True)
            draft.rename(place)
        except OSError as error:
            shutil.rmtree(draft, ignore_errors=True)
            raise KerasfaceError(
                f"can't write a checkpoint to {self.folder}: {error.strerror or error}. {self.way_on}"
            ) from error
        for damaged in self._damaged:
            if damaged != place:
                shutil.rmtree(damaged, ignore_errors=True)
        self._damaged = []
        for old in self._places()[:-_KEPT]:
            shutil.rmtree(old, ignore_errors=True)

    def newest(self, warn=print):
        """Loads the newest checkpoint that is whole.

        Args:
            warn: called with a text for each damaged checkpoint that is passed over.

        Returns:
            `(model, state)`, or None when there is no checkpoint at all.

        Raises:
            KerasfaceError: there are checkpoints, and all are damaged.
        """
        places = self._places()
        for place in reversed(places):
            try:
                state = _checked_state(place)
            except _DAMAGE as error:
                warn(f"checkpoint {place.name} is damaged ({error}); trying the one before")
                self._damaged.append(place)
            else:
                return keras.saving.load_model(place / _MODEL), state
        if places:
            raise KerasfaceError(f"every checkpoint in {self.folder} is damaged; start again with another --out.")
        return None

    @property
    def newest_name(self):
        """Name of the newest checkpoint's folder, or None."""
        places = self._places()
        return places[-1].name if places else None

    @property
    def way_on(self):
        """What is there and what to do where the disk is full, a sentence."""
        if self.newest_name is None:
            return "There is no whole checkpoint yet; make room and begin again with another --out."
        return f"The newest whole checkpoint is {self.newest_name}; make room and run again with --resume."

    def newest_finite(self):
        """Name of the newest whole checkpoint without a NaN or an infinite number in it, or None.

        A checkpoint can be older than the step that shows the damage, and younger than the one that did it.
        """
        for place in reversed(self._places()):
            try:
                _checked_state(place)
            except _DAMAGE:
                continue
            model = keras.saving.load_model(place / _MODEL)
            variables = [*model.variables, *model.optimizer.variables]
            if all(np.isfinite(keras.ops.convert_to_numpy(variable)).all() for variable in variables):
                return place.name
        return None

    def exist(self):
        """True when there is anything to resume from."""
        return bool(self._places())

    def _places(self):
        return sorted(self.folder.glob("step_*")) if self.folder.is_dir() else []


_DAMAGE = (OSError, ValueError, KeyError, TypeError)


def _checked_state(place):
    record = json.loads((place / _RECORD).read_text(encoding="utf-8"))
    if _sha256(place / _MODEL) != record["sha256"]:
        raise ValueError(f"{_MODEL} is not as it was written")
    return record["state"]


def _sha256(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync(folder):
    for path in folder.iterdir():
        with open(path, "rb") as file:
            os.fsync(file.fileno())
