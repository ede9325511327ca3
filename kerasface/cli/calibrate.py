"""kerasface calibrate."""

import os
from pathlib import Path

import typer
from rich.table import Table

from kerasface.cli.console import console, error_console, import_extra
from kerasface.cli.models import open_embedder
from kerasface.cli.rates import tell_dropped, wanted_rates
from kerasface.cli.unread import tell_unread
from kerasface.errors import KerasfaceError
from kerasface.progress import progress_bar

__all__ = ["add_to"]


def add_to(app):
    """Adds the command."""
    app.command(name="calibrate")(calibrate)


def calibrate(
    model: Path = typer.Argument(help=".keras, .tflite or .onnx file of yours; thresholds go into it and MODEL.json."),
    faces: Path = typer.Argument(help="Aligned crops of people that training never saw, a sub-folder a person."),
    far: list[float] = wanted_rates("Wanted false accept rate; may be repeated."),
    name: str = typer.Option(None, help="Name of the set, as users will read it; by default the folder's."),
):
    """Choose the thresholds of an embedder on your own people, with a bound, and write them into the file.

    They replace all that it has.

    A .keras file has room for them only in MODEL.json beside it.

    Example: kerasface calibrate first.tflite data/staff/aligned_112 --far 1e-3
    """
    _check_it_is_yours(model)
    from kerasface.data import open_faces

    people = open_faces(faces)  # a wrong path is told before packages are imported, which takes seconds
    tell_unread(faces)
    for package in ("scipy", "flatbuffers", "ai_edge_litert"):
        import_extra(package)
    from kerasface.edge import decision_threshold
    from kerasface.evaluation import calibrate_embedder
    from kerasface.export import stored_precision, write_spec

    embed, spec = open_embedder(model)
    precision = stored_precision(model)
    with progress_bar(error_console, "embedding") as update:
        calibrated, left_out = calibrate_embedder(
            embed, spec, people.photos, people.labels,
            fars=far, calibrated_on=name or faces.name, precision=precision, progress=update,
        )  # fmt: skip
    try:
        write_spec(model, calibrated)
    except OSError as error:
        raise KerasfaceError(f"can't write {model}: {error.strerror}. It is as it was.") from error
    table = Table("FAR (FMR)", "cosine", "95 % upper bound of the FAR", "impostor pairs", "calibrated on")
    for threshold in calibrated.thresholds:
        bound = "unknown" if threshold.far_upper is None else f"{threshold.far_upper:.3g}"
        pairs, where = f"{threshold.impostor_pairs:,}", f"{threshold.calibrated_on} ({threshold.precision})"
        table.add_row(f"{threshold.far:g}", f"{threshold.cosine:.4f}", bound, pairs, where)
    console.print(table)
    strictest = decision_threshold(calibrated)
    console.print(f"decisions take the strictest of them, cosine {strictest:.4f}; --threshold overrides it for a call")
    tell_dropped(spec.thresholds)
    for reason in left_out.values():
        error_console.print(f"left out: {reason}", soft_wrap=True, highlight=False)


def _check_it_is_yours(model):
    """Minutes before it is written."""
    from kerasface.zoo.bases import SHIPPED, fetched_dir, zoo_dir

    yours = "`kerasface zoo get NAME --format tflite-fp16 --out FILE` makes one that is yours."
    if not model.is_file():
        raise KerasfaceError(
            f"no model file {model}. Is the path right, seen from {Path.cwd()}? The thresholds are written into it: "
            f"of a name of the zoo, {yours}"
        )
    if any(folder.resolve() in model.resolve().parents for folder in (SHIPPED, fetched_dir(), zoo_dir())):
        raise KerasfaceError(f"{model} is a zoo's, whose manifest says what its thresholds are: {yours}")
    if model.is_symlink():
        raise KerasfaceError(f"{model} is a link. Calibrate the file itself: {model.resolve()}")
    if not os.access(model.parent, os.W_OK):
        raise KerasfaceError(
            f"can't write into {model.parent.resolve()}, where the new file must go: copy {model.name} first."
        )
