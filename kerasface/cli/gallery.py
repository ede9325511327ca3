"""kerasface enroll and kerasface identify."""

from pathlib import Path

import typer
from rich.table import Column, Table

from kerasface.cli.console import console, error_console
from kerasface.cli.faces import LARGEST, MIN_SCORE, NO_ALIGN, THRESHOLD, open_pipeline
from kerasface.progress import progress_bar

__all__ = ["add_to"]


def add_to(app):
    """Adds the commands."""
    app.command(name="enroll")(enroll)
    app.command(name="identify")(identify)


def enroll(
    model: Path = typer.Argument(help=".tflite or .onnx embedder."),
    photos: list[Path] = typer.Argument(
        help="One person's photos, with --name; or one folder with a sub-folder a person."
    ),
    gallery: Path = typer.Option(help="Gallery file, made when it doesn't exist."),
    name: str = typer.Option(None, help="The person on the photos."),
    no_align: bool = NO_ALIGN,
    largest: bool = LARGEST,
    min_score: float = MIN_SCORE,
):
    """Add people to a gallery. Ask them first: the file holds their biometric data.

    Example: kerasface enroll mobilefacenet.tflite people/ --gallery team.kfg
    """
    from kerasface.edge import Gallery, enroll_photos, photos_by_person

    people = photos_by_person(photos, name)
    pipeline = open_pipeline(model, no_align, min_score)
    spec = pipeline.embedder.spec
    known = Gallery.load(gallery, spec=spec) if gallery.exists() else Gallery(spec)
    with progress_bar(error_console, "enrolling") as update:
        skipped = enroll_photos(known, pipeline, people, largest=largest, progress=update)
    known.save(gallery)
    for path, reason in skipped:
        error_console.print(f"left out {path}: {reason}", soft_wrap=True, highlight=False, markup=False)
    console.print(f"{gallery} holds {len(known)} people; {len(skipped)} photos left out", soft_wrap=True)


def identify(
    model: Path = typer.Argument(help=".tflite or .onnx embedder."),
    photos: list[Path] = typer.Argument(help="Photos; every face on them is looked up."),
    gallery: Path = typer.Option(help="Gallery file that `kerasface enroll` wrote."),
    threshold: float = THRESHOLD,
    no_align: bool = NO_ALIGN,
    min_score: float = MIN_SCORE,
):
    """Who is on the photos? "unknown" is an answer.

    Example: kerasface identify mobilefacenet.tflite party.jpg --gallery team.kfg
    """
    from kerasface.edge import Gallery, load_image

    pipeline = open_pipeline(model, no_align, min_score)
    known = Gallery.load(gallery, spec=pipeline.embedder.spec)
    # A path that is cut short names no photo: it is folded instead.
    table = Table(Column("photo", overflow="fold"), "face", "who", "cosine", "threshold")
    for path in photos:
        faces = pipeline.faces(load_image(path))
        if not faces:
            table.add_row(str(path), "–", "no face found", "", "")
        for number, face in enumerate(faces, start=1):
            match = known.identify(face.embedding, threshold, embedder_id=face.embedder_id)
            who = match.name or "unknown"
            table.add_row(str(path), str(number), who, f"{match.score:.4f}", f"{match.threshold:.4f}")
    console.print(table)
