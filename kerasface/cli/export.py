"""kerasface export."""

from pathlib import Path
from typing import Literal

import typer
from rich.table import Table

from kerasface.cli.console import console, import_training_side, quiet_standard_error

__all__ = ["add_to"]


def add_to(app):
    """Adds the command."""
    app.command(name="export")(export)


def export(
    model: Path = typer.Argument(help=".keras file that training wrote."),
    to: Literal["tflite", "onnx"] = typer.Option(help="Format."),
    out: Path = typer.Option(help="File to write; its sidecar OUT.json comes beside it."),
    precision: Literal["fp16", "fp32"] = typer.Option(
        None, help="Of the weights; fp16 by default for tflite, fp32 for onnx."
    ),
):
    """Export an embedder: uint8 RGB in, unit-length embedding out, proven equal to the Keras model.

    Example: kerasface export runs/first/best.keras --to tflite --out first.tflite
    """
    import_training_side()
    from kerasface.export import export as run
    from kerasface.export import load_trained

    trained, spec = load_trained(model)
    with console.status("converting and proving"), quiet_standard_error():
        report = run(trained, out, to=to, spec=spec, precision=precision)
    table = Table(title=f"{spec.name} as {report.format} {report.precision}", show_header=False)
    table.add_row("file", report.path)
    table.add_row("size", f"{report.bytes / 1e6:.2f} MB")
    parity = report.parity
    table.add_row("against Keras", f"max difference {parity.max_abs:.1e}, min cosine {parity.min_cosine:.6f}")
    table.add_row("proven on", f"{parity.images} images")
    table.add_row("sha256", report.sha256)
    table.add_row("embedder", report.embedder_id)
    console.print(table)
