"""kerasface finetune."""

import sys
from pathlib import Path

import typer

from kerasface.cli.console import console, import_training_side
from kerasface.cli.models import model_file

__all__ = ["add_to"]


def add_to(app):
    """Adds the command."""
    app.command(name="finetune")(finetune)


def finetune(
    model: Path = typer.Argument(help="A name of the zoo, or a .keras embedder with its spec beside it."),
    data: Path = typer.Option(help="Your people: aligned faces, one sub-folder a person (kerasface align makes them)."),
    out: Path = typer.Option(Path("runs/finetuned"), help="Folder for the model and the report."),
    epochs: int = typer.Option(10, min=1, help="Passes over the photos."),
    learning_rate: float = typer.Option(1e-4, min=0.0, help="AdamW's highest."),
    freeze: list[str] = typer.Option([], help="A layer, or what layers' names begin with, that keeps its weights."),
    seed: int = typer.Option(0, help="Of who is set aside, order and augmentation."),
    resume: bool = typer.Option(False, "--resume", help="Go on with the run in --out."),
):
    """Fine-tune an embedder on your people, and say whether it helped on those it did not see.

    Example: kerasface finetune runs/first/best.keras --data faces/aligned --freeze stem --freeze stage1
    """
    import_training_side()
    from kerasface.plot import before_and_after, save
    from kerasface.training import finetune as run
    from kerasface.training.finetune_page import finetune_page

    report = run(
        model_file(model, "keras"),
        data,
        out,
        epochs=epochs,
        learning_rate=learning_rate,
        frozen=tuple(freeze),
        seed=seed,
        resume=resume,
        console=console,
    )
    if report is None:
        console.print(f"stopped; go on with --resume --out {out}")
        sys.exit(130)
    save(before_and_after(report.before, report.after), out / "report.png")
    page = finetune_page(report)
    (out / "report.md").write_text(page, encoding="utf-8")
    console.print(page, soft_wrap=True)
    console.print(f"model: {out / 'best.keras'}", soft_wrap=True)
