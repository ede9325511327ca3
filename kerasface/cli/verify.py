"""kerasface verify."""

import sys
from pathlib import Path

import typer

from kerasface.cli.console import console
from kerasface.cli.faces import LARGEST, MIN_SCORE, MODEL, NO_ALIGN, THRESHOLD, open_pipeline

__all__ = ["add_to"]


def add_to(app):
    """Adds the command."""
    app.command(name="verify")(verify)


def verify(
    model: Path = MODEL,
    first: Path = typer.Argument(help="A photo of one person."),
    second: Path = typer.Argument(help="Another photo."),
    threshold: float = THRESHOLD,
    no_align: bool = NO_ALIGN,
    largest: bool = LARGEST,
    min_score: float = MIN_SCORE,
):
    """Do two photos show one person? Exit code 0: yes; 1: no; 2: can't be said.

    Example: kerasface verify mobilefacenet.tflite ann_1.jpg ann_2.jpg
    """
    from kerasface.edge import decision_threshold, load_image

    pipeline = open_pipeline(model, no_align, min_score)
    limit = decision_threshold(pipeline.embedder.spec, threshold)
    faces = [pipeline.face(load_image(path), path, largest=largest) for path in (first, second)]
    cosine = float(faces[0].embedding @ faces[1].embedding)
    same = cosine >= limit
    verdict = "[green]same person[/]" if same else "[yellow]different people[/]"
    far = "" if threshold is not None else f" (FAR {min(entry.far for entry in pipeline.embedder.spec.thresholds):g})"
    console.print(f"{verdict}  cosine {cosine:.4f}, threshold {limit:.4f}{far}", soft_wrap=True, markup=True)
    sys.exit(0 if same else 1)
