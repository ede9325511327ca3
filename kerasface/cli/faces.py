"""The options that all commands on photos share, and what they open."""

from pathlib import Path

import typer

from kerasface.cli.console import error_console
from kerasface.cli.models import model_file
from kerasface.quiet import quiet_standard_error

__all__ = ["LARGEST", "MIN_SCORE", "MODEL", "NO_ALIGN", "THRESHOLD", "cosine_text", "open_gallery", "open_pipeline"]

MODEL = typer.Argument(help="A name of the zoo, or a .tflite or .onnx embedder.")
NO_ALIGN = typer.Option(False, "--no-align", help="Photos are aligned crops of the model's size.")
LARGEST = typer.Option(False, "--largest", help="Of several faces on a photo take the largest.")
# "<float range> [0.01<=x<=0.99]", without a metavar, would leave half of the line to the help.
MIN_SCORE = typer.Option(0.5, "--min-score", min=0.01, max=0.99, metavar="N", help="Least detector score of a face.")
THRESHOLD = typer.Option(
    None,
    min=-1.0,
    max=1.0,
    metavar="N",
    help="Cosine from which faces count as one person; by default the calibrated one.",
)


def open_pipeline(model: Path, no_align: bool, min_score: float):
    """Returns what turns photos into embedded faces: detect and align, or aligned crops as they are."""
    from kerasface.edge import AlignedCrops, Embedder, FaceDetector, FacePipeline

    model = model_file(model, "tflite-fp16")
    with quiet_standard_error():
        embedder = Embedder.load(model)
        return FacePipeline(embedder, AlignedCrops(embedder.spec) if no_align else FaceDetector(min_score=min_score))


def open_gallery(path, pipeline, keys):
    """Returns the gallery to look faces up in; says so when it holds nobody, since everybody is unknown then.

    Args:
        path: of the file.
        pipeline: `FacePipeline`; another model's gallery is refused.
        keys: of `kerasface.cli.keys.open_keys`.
    """
    from kerasface.edge import Gallery

    gallery = Gallery.load(path, spec=pipeline.embedder.spec, **keys)
    if not len(gallery):
        error_console.print(f"{path} holds nobody yet: `kerasface enroll` adds people.", soft_wrap=True)
    return gallery


def cosine_text(match):
    """Returns the cosine to the nearest person, a dash where there is nobody."""
    return f"{match.score:.4f}" if match.nearest else "–"
