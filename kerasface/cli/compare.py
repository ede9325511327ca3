"""kerasface compare."""

import sys
from pathlib import Path

import typer
from rich.table import Table

from kerasface.cli.console import console, import_extra, import_training_side

__all__ = ["add_to"]


def add_to(app):
    """Adds the command."""
    app.command(name="compare")(compare)


def compare(
    recipe: Path = typer.Argument(help="YAML file of one recipe and its variants; see zoo/recipes/compare_*.yaml."),
    data: Path = typer.Option(
        help="Aligned faces: a folder with one sub-folder a person, a packed folder, a .rec, .csv or .parquet."
    ),
    lfw: Path = typer.Option(help="LFW's folder, aligned_112/ and pairs.txt: what the models are measured on."),
    out: Path = typer.Option(Path("runs/comparison"), help="Folder for all runs, the result and its page."),
    change: list[str] = typer.Option([], "--set", metavar="FIELD=VALUE", help="Replace a field of the common recipe."),
):
    """Train variants of one recipe one after the other and set them side by side; the same command again goes on.

    Example: kerasface compare zoo/recipes/compare_heads_celeba.yaml --data celeba/ --lfw lfw/ --out runs/heads
    """
    import_training_side(recipe, data, lfw)
    import_extra("matplotlib")
    from kerasface.training.comparison import Comparison
    from kerasface.training.comparison import compare as run

    result = run(Comparison.read(recipe, change), data, lfw, out, console=console)
    if result.runs or result.diverged:
        console.print(_table(result))
    console.print(f"page: {out / 'comparison.md'}", soft_wrap=True)
    done = len(result.runs) + len(result.diverged)
    if done < result.planned:
        console.print(f"stopped after {done} of {result.planned} runs; the same command goes on")
        sys.exit(130)


def _table(result):
    table = Table(title=result.name)
    for heading in ("variant", "seed", "LFW accuracy", "AUC", "held-out accuracy"):
        table.add_column(heading)
    for run in result.runs:
        lfw = f"{run.lfw.accuracy_mean:.2%} ± {run.lfw.accuracy_std:.2%}"
        table.add_row(run.title, str(run.seed), lfw, f"{run.lfw.auc:.4f}", f"{run.held_out_accuracy:.2%}")
    for run in result.diverged:
        table.add_row(run.title, str(run.seed), f"no number at step {run.step}", "", "")
    return table
