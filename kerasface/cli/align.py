"""kerasface align."""

from pathlib import Path

import typer
from rich.table import Column, Table

from kerasface.cli.console import console, counted, error_console, import_extra, import_training_side
from kerasface.cli.reports import check_figure
from kerasface.cli.unread import UNREAD, tell_left_out
from kerasface.errors import KerasfaceError
from kerasface.progress import progress_bar
from kerasface.quiet import quiet_standard_error

__all__ = ["add_to"]


def add_to(app):
    """Adds the command."""
    app.command(name="align")(align)


def align(
    source: Path = typer.Argument(help="Folder of photos, however deep."),
    target: Path = typer.Argument(help="Folder for the same tree of crops; goes on where it stopped."),
    jobs: int = typer.Option(1, min=1, metavar="N", help="Processes; as many as cores is best."),
    template: str = typer.Option("arcface_112x112", help="arcface_112x112 or arcface_112x96."),
    faces: str = typer.Option("largest", help="Kept of a photo: largest, central or all."),
    min_score: float = typer.Option(0.5, min=0.01, max=0.99, metavar="N", help="Least detector score of a face."),
    min_size: float = typer.Option(0.0, min=0.0, metavar="N", help="Least height of a crop in the photo, in pixels."),
    min_sharpness: float = typer.Option(0.0, min=0.0, metavar="N", help="Least variance of the face's Laplacian."),
    max_yaw: float = typer.Option(180.0, min=0.0, max=180.0, metavar="N", help="Degrees to either side."),
    max_pitch: float = typer.Option(90.0, min=0.0, max=90.0, metavar="N", help="Degrees up or down."),
    points: Path = typer.Option(None, help="Table of photos and points, in the detector's place."),
    order: str = typer.Option("retinaface", help="Of its numbers: mtcnn (5 x, 5 y), retinaface or scrfd (pairs)."),
    task: Path = typer.Option(None, help="MediaPipe FaceLandmarker's .task file, likewise."),
    pack: bool = typer.Option(False, "--pack", help="Write TFRecord shards instead of a tree."),
    runner: str = typer.Option("local", help="local, or beam (Apache Beam)."),
    beam_option: list[str] = typer.Option(
        [], metavar="OPTION", help="For Beam's runner: --runner=FlinkRunner; repeatable."
    ),
    sheet: Path = typer.Option(None, help=r"Draw a page of crops, .png, for you alone; needs kerasface\[train]."),
):
    """Align every photo of a tree: five points, a similarity transform, a crop. What became of each: align.jsonl.

    Example: kerasface align photos/ aligned/ --jobs 8 --sheet aligned.png
    """
    from kerasface.alignment import Aligner, AlignmentSettings, align_packed, align_tree, read_points
    from kerasface.alignment.jobs import photos_unread
    from kerasface.alignment.log import LOG

    try:
        settings = AlignmentSettings(
            template, faces, min_score, min_size, min_sharpness, max_yaw, max_pitch, str(task) if task else None
        )
        known = read_points(points, order) if points else None
    except ValueError as error:
        raise KerasfaceError(f"{error}") from error
    if points and task:
        raise KerasfaceError("--points and --task both tell where faces are: give one of them.")
    if sheet:
        check_figure("--sheet", sheet)
        import_extra("matplotlib")
    if runner not in ("local", "beam"):
        raise KerasfaceError(f"--runner is local or beam. Received: {runner!r}")
    if runner == "beam":
        if pack or jobs > 1:
            raise KerasfaceError("--runner beam writes a tree and has its own workers: leave --pack and --jobs out.")
        report = _beam()(source, target, settings, faces=known, options=beam_option)
    else:
        if pack:
            import_training_side(source)
        aligner = Aligner(settings)
        if jobs == 1 and known is None:
            with quiet_standard_error():
                aligner.open()
        run = align_packed if pack else align_tree
        try:
            with progress_bar(error_console, "aligning") as update:
                report = run(source, target, settings, jobs=jobs, faces=known, aligner=aligner, progress=update)
        except KeyboardInterrupt:
            error_console.print("stopped; the same command goes on")
            raise
    before = f", {report.done_before:,} of them done before" if report.done_before else ""
    crops, photos = counted(report.crops, "crop"), counted(report.photos, "photo")
    console.print(f"{target}: {crops} of {photos}{before}", soft_wrap=True)
    console.print(_table(report))
    _tell_missing(report)
    tell_left_out(photos_unread(source), UNREAD)
    if report.gone:
        error_console.print(
            f"{target} also holds crops of {counted(len(report.gone), 'photo')} that {source} doesn't, the first of "
            f"{report.gone[0]}: delete them, or {target} whole, if these people are not to be in it.",
            soft_wrap=True,
        )
    console.print(f"what became of each photo: {target / LOG}", soft_wrap=True)
    if sheet:
        from kerasface.alignment import contact_sheet
        from kerasface.plot import save

        console.print(str(save(contact_sheet(target), sheet)), soft_wrap=True)


def _beam():
    try:
        from kerasface.alignment.beam import align_with_beam
    except ModuleNotFoundError as error:
        raise KerasfaceError(
            f"--runner beam needs {error.name}: pip install '.[beam]' from a checkout, into an environment of its own; "
            "Beam refuses the versions of the training extra."
        ) from error
    return align_with_beam


def _tell_missing(report):
    for status, named in report.missing.items():
        more = ", …" if report.counts[status] > len(named) else ""
        error_console.print(f"{_MEANINGS[status]}: {', '.join(named)}{more}", soft_wrap=True, highlight=False)


def _table(report):
    table = Table("status", Column("photos", justify="right"), "what it means")
    for status, count in report.counts.items():
        table.add_row(status, f"{count:,}", _MEANINGS[status])
    return table


_MEANINGS = {
    "ok": "one face, aligned",
    "several": "several faces; those that were asked for are aligned",
    "none": "no face found",
    "low_quality": "the face misses a limit",
    "unreadable": "damaged, or no image",
    "failed": "something else went wrong; tried again in the next run",
}
