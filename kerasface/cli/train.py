"""kerasface train."""

import sys
from pathlib import Path

import typer

from kerasface.cli.console import console, import_training_side
from kerasface.cli.unread import tell_unread

__all__ = ["add_to"]


def add_to(app):
    """Adds the command."""
    app.command(name="train")(train)


def train(
    recipe: Path = typer.Argument(help="YAML file; the project's own lie in zoo/recipes."),
    data: Path = typer.Option(
        help="Aligned faces: a folder with one sub-folder a person, a packed folder, a .rec, .csv or .parquet."
    ),
    out: Path = typer.Option(Path("runs/latest"), help="Folder for checkpoints, log and model."),
    photos: list[Path] = typer.Option([], help="More aligned photos, without identities; for recipes with a teacher."),
    change: list[str] = typer.Option([], "--set", metavar="FIELD=VALUE", help="Replace a field of the recipe."),
    strategy: str = typer.Option(
        None,
        metavar="NAME",
        help="none, mirrored or multiworker: train on one device, this machine's GPUs, or several hosts.",
    ),
    tensorboard: bool = typer.Option(
        False, "--tensorboard", help="Write OUT/tensorboard for TensorBoard; it holds faces and names of people."
    ),
    resume: bool = typer.Option(False, "--resume", help="Go on from the newest checkpoint in --out."),
):
    """Train a recipe; Ctrl-C once stops after the step, with a checkpoint.

    Example: kerasface train zoo/recipes/mobilefacenet_arcface_celeba.yaml --data faces/ --set epochs=2 --out runs/first
    """
    import_training_side(recipe, data, *photos)
    tell_unread(data)
    from kerasface.training import Recipe
    from kerasface.training import train as run

    if strategy is not None:
        change = [*change, f"strategy.name={strategy}"]
    result = run(
        Recipe.read(recipe, change), data, out, photos=photos, resume=resume, tensorboard=tensorboard, console=console
    )
    if not result.finished:
        console.print(f"stopped at step {result.steps}; the same command with --resume goes on", soft_wrap=True)
        sys.exit(130)
    if not result.best_epoch:  # a process of several that only takes part
        return
    console.print(f"best epoch {result.best_epoch}: held-out verification {result.held_out_accuracy:.2%}")
    console.print(f"model: {result.model_path}", soft_wrap=True)
