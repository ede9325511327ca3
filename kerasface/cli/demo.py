"""kerasface demo."""

from pathlib import Path

import typer

from kerasface.cli.console import console, import_training_side
from kerasface.quiet import quiet_standard_error

__all__ = ["add_to"]


def add_to(app):
    """Adds the command."""
    app.command(name="demo")(demo)


def demo(out: Path = typer.Option(Path("demo"), help="Folder to fill; report.html is the page to open.")):
    """Train, evaluate, export and run an embedder on synthetic faces, in a few minutes and without any data.

    Example: kerasface demo --out demo
    """
    import_training_side()
    from kerasface.demo import run_demo

    # LiteRT logs its delegate to standard error among the results.
    with quiet_standard_error():
        run_demo(out, console=console)
