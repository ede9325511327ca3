"""kerasface finetune."""

import contextlib
import sys
from pathlib import Path

import typer

from kerasface.cli.console import console, error_console, import_training_side
from kerasface.cli.models import model_file
from kerasface.cli.unread import UNREAD, tell_left_out, tell_unread
from kerasface.errors import KerasfaceError
from kerasface.progress import progress_bar
from kerasface.quiet import quiet_standard_error

__all__ = ["add_to"]


def add_to(app):
    """Adds the command."""
    app.command(name="finetune")(finetune)


def finetune(
    model: Path = typer.Argument(help="A name of the zoo, or a .keras embedder with its spec beside it."),
    data: Path = typer.Option(help="Your people's photos, one sub-folder a person; or faces that are aligned already."),
    out: Path = typer.Option(Path("runs/finetuned"), help="Folder for the model and the report."),
    epochs: int = typer.Option(10, min=1, metavar="N", help="Passes over the photos."),
    learning_rate: float = typer.Option(1e-4, min=0.0, metavar="N", help="AdamW's highest."),
    freeze: list[str] = typer.Option([], help="A layer, or what layers' names begin with, that keeps its weights."),
    seed: int = typer.Option(0, help="Of who is set aside, order and augmentation."),
    resume: bool = typer.Option(False, "--resume", help="Go on with the run in --out."),
):
    """Fine-tune an embedder on your people, and say whether it helped on those it did not see.

    Example: kerasface finetune runs/first/best.keras --data photos/ --freeze stem --freeze stage1
    """
    model = model_file(model, "keras")
    import_training_side(data)
    from kerasface.plot import before_and_after, save
    from kerasface.training import finetune as run
    from kerasface.training.finetune_page import finetune_page

    report = run(
        model,
        _aligned(model, data, out),
        out,
        epochs=epochs,
        learning_rate=learning_rate,
        frozen=tuple(freeze),
        seed=seed,
        resume=resume,
        console=console,
    )
    if report is None:
        console.print("stopped; the same command with --resume goes on")
        sys.exit(130)
    save(before_and_after(report.before, report.after), out / "report.png")
    page = finetune_page(report)
    (out / "report.md").write_text(page, encoding="utf-8")
    console.print(page, soft_wrap=True)
    console.print(f"model: {out / 'best.keras'}", soft_wrap=True)


def _aligned(model, data, out):
    """Returns the data as it is where its first photo has the model's size; else its photos, aligned, in `out`."""
    from kerasface.alignment import AlignmentSettings, align_tree
    from kerasface.alignment.jobs import photos_unread
    from kerasface.alignment.log import LOG
    from kerasface.data.packed import MANIFEST
    from kerasface.export import load_trained

    spec = load_trained(model)[1]
    if not data.is_dir() or (data / MANIFEST).is_file():
        return data
    if _first_size(data) == (spec.input_width, spec.input_height):
        tell_unread(data)
        return data
    with progress_bar(error_console, "aligning") as update, quiet_standard_error():
        report = align_tree(data, out / "aligned", AlignmentSettings(template=spec.template), progress=update)
    counts = ", ".join(f"{status} {count:,}" for status, count in report.counts.items() if count)
    aligned = f"aligned {report.crops:,} faces of {report.photos:,} photos ({counts})"
    console.print(f"{aligned}; which: {out / 'aligned' / LOG}", soft_wrap=True)
    # Crops of an earlier run whose photos are gone since, because somebody withdrew, must not be trained on.
    if report.gone:
        raise KerasfaceError(
            f"{out / 'aligned'} also holds crops of {len(report.gone)} photos that {data} doesn't, the first of "
            f"{report.gone[0]}. Delete {out / 'aligned'}, or name another --out: nobody is trained on whose photos "
            "were taken away."
        )
    tell_left_out(photos_unread(data), UNREAD)
    tell_unread(out / "aligned")
    return out / "aligned"


def _first_size(data):
    """(width, height) of the first photo that is none of the damaged ones; None where all are."""
    from PIL import Image

    from kerasface.alignment.jobs import list_jobs

    for job in list_jobs(data):
        with contextlib.suppress(OSError, Image.DecompressionBombError), Image.open(data / job.photo) as photo:
            return photo.size
    return None
