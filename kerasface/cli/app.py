"""The app that gathers the commands, and the one place where errors become messages and exit codes."""

import os
import sys

import typer

import kerasface
from kerasface.cli import (
    align,
    assets,
    benchmark,
    calibrate,
    compare,
    data,
    demo,
    doctor,
    evaluate,
    export,
    finetune,
    galleries,
    gallery,
    launch,
    plot,
    train,
    verify,
    watch,
    zoo,
)
from kerasface.cli.console import error_console
from kerasface.errors import KerasfaceError

__all__ = ["app", "run"]

app = typer.Typer(
    name="kerasface",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Face recognition for Keras 3: train, evaluate, export, and run embedders without TensorFlow.\n\n"
    "Faces are biometric data: use photos of people who agreed to it, and read the licence of the weights you use.",
)
_GROUPS = (
    demo,
    doctor,
    align,
    data,
    train,
    finetune,
    compare,
    launch,
    evaluate,
    calibrate,
    export,
    benchmark,
    verify,
    gallery,
    watch,
)
for group in _GROUPS:
    group.add_to(app)
app.add_typer(assets.app, name="assets")
app.add_typer(galleries.app, name="gallery")
app.add_typer(plot.app, name="plot")
app.add_typer(zoo.app, name="zoo")


def _version(wanted: bool):
    if wanted:
        typer.echo(f"kerasface {kerasface.__version__}")
        raise typer.Exit


@app.callback()
def _global(
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show it and exit."),
):
    pass


def run():
    """Runs the app; a `KerasfaceError` is its message and exit code 2, and so is a path without access."""
    # TensorFlow's start-up notes bury what a command says; errors still come as Python exceptions.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        app(prog_name="kerasface")  # whatever it was started as: `python -m kerasface` too
    except KerasfaceError as error:
        _fail(error)
    except PermissionError as error:
        # Whatever command: a service's user can't look into another's home, for one.
        if error.filename is None:
            raise
        _fail(
            f"no access to {error.filename}: {error.strerror}. Give it to the user whom this runs as, to the folders "
            "above it too, or take another place."
        )


def _fail(message):
    from rich.text import Text

    error_console.print(Text.assemble(("error:", "bold red"), f" {message}"), soft_wrap=True, highlight=False)
    sys.exit(2)
