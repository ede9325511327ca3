"""The training run that a build begins with: made, gone on with, or taken as it lies there."""

import dataclasses
import json

from kerasface.errors import KerasfaceError
from kerasface.export import load_trained
from kerasface.model import FaceModel
from kerasface.training.recipe.recipe import Recipe
from kerasface.training.run.budget import budget_of
from kerasface.training.run.result import TrainingResult
from kerasface.training.run.run_faces import RunFaces, open_run_faces
from kerasface.training.run.run_folder import RunFolder
from kerasface.training.trainer import train

__all__ = ["TrainedRun", "trained_run"]


@dataclasses.dataclass(frozen=True, eq=False)
class TrainedRun:
    """A run with a best model.

    Args:
        recipe: `Recipe` it was trained by.
        result: `TrainingResult`.
        faces: `RunFaces`; those held out have not been seen.
        planned_epochs: of the recipe's budget.
        model: `FaceModel` of the best epoch.
    """

    recipe: Recipe
    result: TrainingResult
    faces: RunFaces
    planned_epochs: int
    model: FaceModel


def trained_run(recipe, data, folder, *, photos=(), as_it_is=False, console=None):
    """Trains a recipe, goes on with a run that was interrupted, or takes one that is finished.

    Args:
        recipe: `Recipe`.
        data, photos: as `kerasface.training.train` takes them.
        folder: of the run.
        as_it_is: take the best epoch of an interrupted run, instead of going on with it.
        console: `rich.console.Console` of the training's progress.

    Returns:
        `TrainedRun`; None when a signal stopped the training.

    Raises:
        KerasfaceError: a run of another recipe or of other faces, one that is still going on, none to take as it is, or
            see `train`.
    """
    run = RunFolder(folder)
    begun = run.checkpoints.exist() or run.best.exists()
    result = _result(run) if begun else None
    if as_it_is and result is None:
        raise KerasfaceError(f"{run.path} holds no run that was stopped: there is no {run.result.name} to take.")
    if begun:
        changes = run.changes(recipe)
        if changes:
            raise KerasfaceError("\n  ".join([f"{run.path} was trained by another recipe:", *changes]))
    if result is None or not (result.finished or as_it_is):
        result = train(recipe, data, run.path, photos=photos, resume=begun, console=console)
        if not result.finished:
            return None
    faces = open_run_faces(recipe, data, photos)
    _check(run, result, faces)
    model, _ = load_trained(run.best)
    budget = budget_of(recipe, len(faces.training), replicas=1)
    return TrainedRun(recipe, result, faces, budget.epochs, model)


def _result(run):
    """The `TrainingResult` that lies in the folder, or None."""
    if not run.result.is_file():
        return None
    try:
        fields = json.loads(run.result.read_text(encoding="utf-8"))
        return TrainingResult(**{**fields, "history": tuple(fields["history"]), "model_path": str(run.best)})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise KerasfaceError(f"{run.result} is not what training writes: {error}") from error


def _check(run, result, faces):
    if not result.best_epoch:
        raise KerasfaceError(f"{run.path} has no finished epoch, so that there is no model to take.")
    log = run.path / "log.jsonl"
    try:
        history = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise KerasfaceError(f"can't read the run's log {log}: {error}") from error
    if history != list(result.history):
        raise KerasfaceError(
            f"{log} has {len(history)} epochs and {run.result.name} {len(result.history)}: the run is going on, or was "
            "killed. Wait for it, stop it with one SIGTERM, or go on with `kerasface train --resume`."
        )
    if (result.identities, result.images) != (faces.people, len(faces.training)):
        raise KerasfaceError(
            f"{run.path} was trained on {result.images:,} photos, {result.identities:,} people: expected the same data "
            f"and photos. Received: {len(faces.training):,} photos, {faces.people:,} people, so that those held out "
            "may be people whom it has seen."
        )
