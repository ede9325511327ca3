"""kerasface pack and kerasface clean."""

import os
from pathlib import Path

import typer

from kerasface.cli.console import console, error_console, import_training_side, people_text
from kerasface.cli.models import model_file
from kerasface.cli.reports import check_writable, write_report
from kerasface.cli.unread import tell_unread
from kerasface.errors import KerasfaceError
from kerasface.progress import progress_bar
from kerasface.quiet import quiet_standard_error

__all__ = ["add_to"]

_SOURCE = typer.Argument(help="Class folder, packed folder, .rec, .csv or .parquet list of aligned faces.")


def add_to(app):
    """Adds the commands."""
    app.command(name="pack")(pack)
    app.command(name="clean")(clean)


def pack(
    source: Path = _SOURCE,
    target: Path = typer.Argument(help="Folder to make; or a .rec file, for programs that read insightface's sets."),
):
    """Pack faces into a few large files: TFRecord shards with a manifest, read in any order.

    Example: kerasface pack faces/ packed/
    """
    import_training_side(source)
    from kerasface.data import open_faces, pack_faces, write_record_file

    faces = open_faces(source)
    tell_unread(source)
    with progress_bar(error_console, "packing") as update:
        if target.suffix.lower() == ".rec":
            write_record_file(faces, target, progress=update)
        else:
            pack_faces(faces, target, progress=update)
    console.print(f"{target}: {len(faces):,} photos of {people_text(len(faces.names))}", soft_wrap=True)


def clean(
    source: Path = _SOURCE,
    out: Path = typer.Option(
        Path("keep.csv"), help="CSV list of what to keep; --data takes it. The report is put beside."
    ),
    min_images: int = typer.Option(
        1, min=1, metavar="N", help="Least number of images that a person must be left with."
    ),
    embedder: Path = typer.Option(None, help="A name of the zoo, .tflite or .onnx file: finds near-duplicates."),
    cosine: float = typer.Option(
        None, min=0.01, max=1.0, metavar="N", help="From which two photos are near-duplicates; with --embedder."
    ),
):
    """Look for unreadable photos, duplicates and doubtful labels; list what to keep. No photo is changed or deleted.

    Example: kerasface clean faces/ --min-images 2 --out keep.csv
    """
    from kerasface.data import clean as run
    from kerasface.data import open_faces, write_list
    from kerasface.edge import Embedder

    if (embedder is None) != (cosine is None):
        raise KerasfaceError("--embedder and --cosine go together: near-duplicates are photos at least that alike.")
    # Photos are looked at for minutes: all this is told before.
    if out.suffix.lower() != ".csv" or out.is_dir():
        raise KerasfaceError(f"the list of what to keep is a .csv file. Received: --out {out}")
    if out.resolve() == source.resolve():
        raise KerasfaceError(f"{out} is what is cleaned: name another file with --out.")
    # A folder that isn't there is made.
    if out.parent.exists() and not os.access(out.parent, os.W_OK):
        raise KerasfaceError(f"can't write into {out.parent.absolute()}: name another place with --out.")
    report_path = out.with_suffix(".report.json")
    check_writable(report_path)
    faces = open_faces(source)
    tell_unread(source)
    embed = None
    if embedder is not None:
        with quiet_standard_error():
            embed = Embedder.load(model_file(embedder, "tflite-fp16")).embed
    with progress_bar(error_console, "cleaning") as update:
        kept, report = run(faces, min_images=min_images, embed=embed, cosine=cosine, progress=update)
    if not len(kept):
        raise KerasfaceError(f"nothing of {source} would be left: {_found(report)}")
    write_list(faces.take(kept), out)
    console.print(_found(report), soft_wrap=True)
    console.print(
        f"{out} keeps {report.kept_images:,} of {report.images:,} photos, {report.kept_people:,} of {report.people:,} "
        "people; what and why:",
        soft_wrap=True,
    )
    write_report(report_path, report.to_json)


def _found(report):
    found = [
        f"{len(report.unreadable):,} unreadable",
        f"{len(report.odd_sizes):,} of another size than most",
        f"{sum(len(photos) - 1 for photos in report.duplicates):,} exact duplicates",
        f"{sum(len(photos) for photos, _ in report.shared):,} with the bytes of another person's",
        f"{sum(count for _, count in report.small):,} of people with fewer than {report.min_images}",
    ]
    if report.cosine is not None:
        found.insert(3, f"{len(report.near_duplicates):,} near-duplicates")
        found.append(f"{len(report.suspects):,} pairs of two people as alike as near-duplicates")
    return ", ".join(found)
