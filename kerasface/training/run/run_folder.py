"""RunFolder: what a run leaves on disk, and the check that it is this run's."""

import contextlib
import json
import os
from pathlib import Path

import filelock

from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError
from kerasface.training.optimization.batch_norm import saved_as_local
from kerasface.training.recipe.recipe import Recipe
from kerasface.training.run.checkpoints import Checkpoints
from kerasface.training.run.sameness import changes_between

__all__ = ["RunFolder"]


class RunFolder:
    """The folder of one run: `checkpoints/`, `best.keras`, `log.jsonl`, `recipe.json`, `result.json`, `tensorboard/`.

    Args:
        path: of the folder.

    Example:
        >>> RunFolder("runs/first").claim(recipe)
    """

    def __init__(self, path):
        self.path = Path(path)
        self.checkpoints = Checkpoints(self.path / "checkpoints")
        self.best = self.path / "best.keras"
        self.not_finite = self.path / "not_finite.json"
        self.tensorboard = self.path / "tensorboard"
        self.recipe = self.path / "recipe.json"
        self.result = self.path / "result.json"

    def claim(self, recipe):
        """Makes the folder this recipe's, after `check`.

        Args:
            recipe: `Recipe`.

        Raises:
            KerasfaceError: no way to write.
        """
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            _write_text(self.recipe, json.dumps(_tree(recipe), indent=1))
        except OSError as error:
            raise self._unwritable(error) from error

    @contextlib.contextmanager
    def occupied(self):
        """Keeps other processes from training into the folder, whose files would be of either, until the block ends.

        What holds it is the system's lock of a file, which a process that is killed lets go.

        Raises:
            KerasfaceError: another process trains into it; no way to write.
        """
        lock = filelock.FileLock(self.path / ".lock", timeout=0)
        try:
            self.path.mkdir(parents=True, exist_ok=True)
            lock.acquire()
        except filelock.Timeout as error:
            raise KerasfaceError(f"another process trains into {self.path}: wait, or name another --out.") from error
        except OSError as error:
            raise self._unwritable(error) from error
        try:
            yield
        finally:
            lock.release()

    def check(self, recipe, resume):
        """Makes sure that the folder can be this recipe's; writes nothing.

        Args:
            recipe: `Recipe`.
            resume: whether there should be a run.

        Raises:
            KerasfaceError: there is a run, or none, against what was wished; it has another recipe; no way to write.
        """
        if resume:
            self._check_begun(recipe)
        elif self.checkpoints.exist():
            raise KerasfaceError(f"{self.path} holds a run already: add --resume to go on, or name another --out.")
        elif self.best.exists():  # its checkpoints were deleted, or it died before it could write one
            raise KerasfaceError(
                f"{self.best} is of a run that left no checkpoint to go on from: name another --out, or move it away."
            )
        nearest = next(folder for folder in (self.path, *self.path.absolute().parents) if folder.exists())
        if not nearest.is_dir():
            raise KerasfaceError(f"can't write to {self.path}: {nearest} is no folder. Name another --out.")
        if not os.access(nearest, os.W_OK):
            raise KerasfaceError(f"can't write to {self.path}: {nearest} is not writable. Name another --out.")

    def changes(self, recipe):
        """The fields in which a recipe differs from that the run was begun with, one line each.

        Raises:
            KerasfaceError: the folder doesn't say which recipe that was.
        """
        try:
            # Through the schema: a field that this version added has its default.
            begun = Recipe.model_validate_json(self.recipe.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise KerasfaceError(f"can't tell which recipe the run was begun with: {self.recipe}: {error}") from error
        return changes_between(_tree(begun), _tree(recipe))

    def keep_best(self, model):
        """Replaces the best model: without an optimizer, half the size and nothing that only training needs."""
        draft = self.path / f".draft_{self.best.name}"
        try:
            with saved_as_local(model):
                model.save(draft)
            os.replace(draft, self.best)
        finally:
            draft.unlink(missing_ok=True)

    def write_log(self, history):
        """Writes the log whole, so that an epoch that is done again after a crash doesn't stand there twice."""
        _write_text(self.path / "log.jsonl", "".join(json.dumps(line) + "\n" for line in history))

    def write_result(self, result):
        """Writes a `TrainingResult`."""
        _write_text(self.result, result.to_json())

    def _unwritable(self, error):
        return KerasfaceError(f"can't write to {self.path}: {error.strerror}. Name another --out.")

    def _check_begun(self, recipe):
        if not self.checkpoints.exist():
            way_out = "Name another --out" if self.best.exists() else "Leave --resume out"
            raise KerasfaceError(f"nothing to resume: no checkpoint in {self.checkpoints.folder}. {way_out}.")
        changes = self.changes(recipe)
        if changes:
            head = (
                "the run was begun with another recipe. Go on with that one and the same --set, which "
                f"{self.recipe} holds; to train on with other settings begin a new run with `initial: {self.best}`:"
            )
            raise KerasfaceError("\n  ".join([head, *changes]))


def _tree(recipe):
    return json.loads(recipe.model_dump_json())


def _write_text(path, text):
    write_atomically(path, text.encode(), mode=0o644)
