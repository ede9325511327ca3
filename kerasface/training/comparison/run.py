"""Runs a comparison: every variant trained, measured and written down, from wherever the last process left it."""

import json
from pathlib import Path

import keras
from rich.console import Console

import kerasface
from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError
from kerasface.evaluation import read_lfw
from kerasface.progress import progress_bar
from kerasface.training.comparison.measure import measure_run
from kerasface.training.comparison.page import write_page
from kerasface.training.comparison.result import ComparisonResult, Diverged, RunMeasures
from kerasface.training.measurable import check_measurable
from kerasface.training.run.run_faces import open_run_faces
from kerasface.training.run.run_folder import RunFolder
from kerasface.training.trainer import train

__all__ = ["compare"]

_MEASURES = "measures.json"


def compare(comparison, data, lfw, out, *, console=None):
    """Trains all runs of a comparison one after the other, and measures each.

    What `out` holds is gone on with: finished runs are kept, the one that was interrupted resumes at its newest
    checkpoint. After every run `comparison.json` and the page are written anew, so that they always tell what is there.
    A run whose loss becomes no number is reported as such, and the next one begins.

    Args:
        comparison: `Comparison`.
        data: aligned faces to train on, anything that `open_faces` opens.
        lfw: folder of LFW (see `read_lfw`), for reporting only: neither training nor the choice of an epoch sees it.
        out: folder: a run each in `VARIANT/seed_N/`, `comparison.json`, `comparison.md` and `figures/`.
        console: `rich.console.Console` for the progress; a new one by default.

    Returns:
        `ComparisonResult`; with fewer runs than were planned where a signal stopped it.

    Raises:
        KerasfaceError: see `train` and `read_lfw`; a run in `out` was begun with another recipe or other images; a
            variant's model can't be built, or takes faces of another size than LFW's.

    Example:
        >>> compare(Comparison.read("zoo/recipes/compare_heads_celeba.yaml"), "celeba", "lfw", "runs/heads")
    """
    out, console = Path(out), console or Console()
    plan, pairs = comparison.runs(), read_lfw(lfw)
    _check_begun(plan, out)
    _check_models(plan, pairs)
    measured, diverged = [], []
    for number, planned in enumerate(plan, start=1):
        keras.backend.clear_session()  # what one run has built and traced would stay until the last
        console.print(f"run {number}/{len(plan)}: {planned.title}, seed {planned.recipe.seed}", soft_wrap=True)
        folder = RunFolder(out / planned.place)
        measures = _one(planned, folder, data, pairs, console)
        if measures is None:
            break
        (diverged if isinstance(measures, Diverged) else measured).append(measures)
        result = ComparisonResult(comparison.name, len(plan), tuple(measured), tuple(diverged), kerasface.__version__)
        _write(out / "comparison.json", result)
        write_page(result, out / "comparison.md")
        console.print(_line(measures), soft_wrap=True)
    return ComparisonResult(comparison.name, len(plan), tuple(measured), tuple(diverged), kerasface.__version__)


def _one(planned, folder, data, pairs, console):
    """`RunMeasures` or `Diverged` of one run, done or gone on with; None when a signal stopped it."""
    path = folder.path / _MEASURES
    if path.is_file():
        return _kept(path, planned, data)
    if not folder.not_finite.is_file():
        begun = folder.checkpoints.exist()
        if not begun:  # killed between its first best model and its first checkpoint
            folder.best.unlink(missing_ok=True)
        try:
            trained = train(planned.recipe, data, folder.path, resume=begun, console=console)
        except KerasfaceError:
            if not folder.not_finite.is_file():
                raise
        else:
            if not trained.finished:
                return None
    if folder.not_finite.is_file():
        step = json.loads(folder.not_finite.read_text(encoding="utf-8"))["batches"][-1]["step"]
        return Diverged(planned.variant, planned.title, planned.recipe.seed, step)
    with progress_bar(console, "measuring") as update:
        measures = measure_run(planned, folder, open_run_faces(planned.recipe, data, ()), pairs, progress=update)
    _write(path, measures)
    return measures


def _kept(path, planned, data):
    try:
        measures = RunMeasures.from_json(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise KerasfaceError(f"{path} can't be read: {error}. Delete it, and the model is measured again.") from error
    now = open_run_faces(planned.recipe, data, ()).fingerprint["listing"]
    if measures.faces != now:
        raise KerasfaceError(f"{path.parent} was trained with other images than {data} holds. Name another --out.")
    return measures


def _check_begun(plan, out):
    """Refuses before the first hour what would be refused at the run in question."""
    for planned in plan:
        folder = RunFolder(out / planned.place)
        changes = folder.changes(planned.recipe) if folder.recipe.is_file() else []
        if changes:
            raise KerasfaceError(
                "\n  ".join([f"{folder.path} was begun with another recipe; name another --out:", *changes])
            )


def _check_models(plan, pairs):
    """Builds each variant's model once: an argument that the last one misspells would else come out hours later."""
    for planned in {planned.variant: planned for planned in plan}.values():
        try:
            check_measurable(planned.recipe, [pairs])
        except KerasfaceError as error:
            raise KerasfaceError(f"{planned.variant}: {error}") from error


def _line(measures):
    if isinstance(measures, Diverged):
        return f"the loss became no number at step {measures.step}: no model"
    lfw = measures.lfw
    return f"LFW {lfw.accuracy_mean:.2%} ± {lfw.accuracy_std:.2%}  AUC {lfw.auc:.4f}"


def _write(path, result):
    write_atomically(path, (result.to_json() + "\n").encode(), mode=0o644)
