"""kerasface benchmark."""

from pathlib import Path

import typer
from rich.table import Column, Table

from kerasface.cli.console import console, error_console
from kerasface.cli.models import model_file
from kerasface.cli.reports import check_writable, write_report
from kerasface.progress import progress_bar
from kerasface.quiet import quiet_standard_error

__all__ = ["add_to"]


def add_to(app):
    """Adds the command."""
    app.command(name="benchmark")(benchmark)


def benchmark(
    files: list[Path] = typer.Argument(help=".tflite and .onnx files, ours or others', or names of the zoo."),
    threads: list[int] = typer.Option([1, 2], min=1, metavar="N", help="Given to the runtime; may be repeated."),
    runs: int = typer.Option(200, min=1, metavar="N", help="Timed runs of each file at each number of threads."),
    json_path: Path = typer.Option(None, "--json", help="Write the figures."),
):
    """Time files against each other on this machine: latency, load time, memory, size, what XNNPACK runs.

    The first is the measure of the others. A name stands for its float16 file.

    Example: kerasface benchmark fp32.tflite int8.tflite --threads 1
    """
    from kerasface.edge.benchmark import benchmark as run

    check_writable(json_path)
    files = [model_file(file, "tflite-fp16") for file in files]
    with progress_bar(error_console, "timing") as update, quiet_standard_error():
        result = run(files, threads=tuple(threads), runs=runs, progress=update)
    headings, rows = result.rows()
    name, *others = headings
    # Eleven columns in a terminal of 80: only the file's name may be folded, never a figure.
    figures = (Column(heading.replace(" ", "\n"), no_wrap=True) for heading in others)
    files_timed = f"{len(result.files)} files in turn" if len(result.files) > 1 else "one file"
    title = f"{files_timed}, on {result.cpus} CPUs"
    table = Table(Column(name, overflow="fold"), *figures, title=title, padding=0)
    for row in rows:
        table.add_row(*row)
    console.print(table)
    write_report(json_path, lambda: result.to_json() + "\n")
