"""kerasface launch."""

import sys
from pathlib import Path

import typer

from kerasface.cli import train
from kerasface.cli.console import console, import_training_side

__all__ = ["add_to"]


def add_to(app):
    """Adds the command."""
    settings = {"allow_extra_args": True, "ignore_unknown_options": True}
    app.command(name="launch", context_settings=settings)(launch)


def launch(
    context: typer.Context,
    recipe: Path = typer.Argument(help="YAML file, as for kerasface train."),
    workers: int = typer.Option(2, min=2, metavar="N", help="Processes to start."),
):
    """Try out training in several processes, on this machine over loopback; options of kerasface train follow.

    As for kerasface train, --data is needed: the aligned faces. What else there is: kerasface train --help.

    Example: kerasface launch --workers 2 recipe.yaml --data faces/ --out runs/first
    """
    # Parsed here as each worker will: what is mistyped is told once and at once.
    app = typer.Typer(add_completion=False)
    train.add_to(app)
    arguments = (str(recipe), *context.args)
    wanted = typer.main.get_command(app).make_context("kerasface train", list(arguments)).params
    import_training_side(wanted["recipe"], wanted["data"], *wanted["photos"])
    from kerasface.training.launch import launch as run

    # Not the console script: it need not be on the path.
    command = [sys.executable, "-m", "kerasface", "train", *arguments]
    code = run([*command, "--strategy", "multiworker"], workers, say=_say)
    sys.exit(code)


def _say(line):
    console.print(line, highlight=False, soft_wrap=True)
