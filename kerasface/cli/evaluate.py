"""kerasface evaluate."""

from pathlib import Path

import typer
from rich.table import Table

from kerasface.cli.console import console, error_console
from kerasface.cli.models import open_embedder
from kerasface.progress import progress_bar

__all__ = ["add_to"]


def add_to(app):
    """Adds the command."""
    app.command(name="evaluate")(evaluate)


def evaluate(
    model: Path = typer.Argument(help=".keras, .tflite or .onnx file."),
    lfw: Path = typer.Option(help="LFW's folder: aligned_112/ and pairs.txt."),
    flip: str = typer.Option("none", help="How a face and its mirror image are joined: none, sum, concatenate."),
    json_path: Path = typer.Option(None, "--json", help="Write the result as JSON."),
):
    """Verify on LFW: 6,000 pairs in 10 folds, each fold judged with the others' threshold.

    Example: kerasface evaluate runs/first/best.keras --lfw data/lfw --flip sum --json lfw.json
    """
    from kerasface.evaluation import evaluate_lfw

    embed, spec = open_embedder(model)
    with progress_bar(error_console, "embedding") as update:
        result = evaluate_lfw(embed, lfw, flip=flip, progress=update)
    table = Table(title=f"{spec.name} on LFW (flip: {flip})", show_header=False)
    folds = len(result.fold_accuracies)
    table.add_row(f"accuracy, {folds} folds", f"{result.accuracy_mean:.2%} ± {result.accuracy_std:.2%}")
    table.add_row("AUC", f"{result.auc:.4f}")
    table.add_row("equal error rate", f"{result.eer:.2%}")
    for far, tar in result.tar_at_far.items():
        supported = "too few impostor pairs" if tar is None else f"{tar:.2%}"
        table.add_row(f"TAR at FAR {far:g}", supported)
    table.add_row("pairs", f"{result.genuine_pairs:,} genuine, {result.impostor_pairs:,} impostor")
    console.print(table)
    if json_path:
        json_path.write_text(result.to_json() + "\n", encoding="utf-8")
