"""kerasface export."""

from pathlib import Path
from typing import Literal

import typer
from rich.table import Column, Table

from kerasface.cli.console import console, error_console, import_training_side
from kerasface.cli.models import model_file
from kerasface.cli.rates import wanted_rates
from kerasface.cli.reports import check_writable, write_report
from kerasface.errors import KerasfaceError
from kerasface.progress import progress_bar
from kerasface.quiet import quiet_standard_error

__all__ = ["add_to"]

# Faces that a proof and the ranges of int8-full's activations are taken from, at most.
_PROOF, _REPRESENTATIVE = 256, 512


def add_to(app):
    """Adds the command."""
    app.command(name="export")(export)


def export(
    model: Path = typer.Argument(help="A name of the zoo, or a .keras file that training wrote."),
    to: Literal["tflite", "onnx", "saved-model"] = typer.Option(metavar="FORMAT", help="tflite, onnx or saved-model."),
    out: Path = typer.Option(help="File (saved-model: folder) to write; its sidecar OUT.json comes beside it."),
    precision: Literal["fp32", "fp16", "int8", "int8-full"] = typer.Option(
        None, metavar="NAME", help="tflite: fp32, fp16 (default), int8 or int8-full; the others are fp32."
    ),
    input_dtype: Literal["uint8", "float32"] = typer.Option("uint8", "--input", help="Type of the pixels, 0…255."),
    batch: int = typer.Option(None, min=1, metavar="N", help="tflite: images a run, fixed; 1 by default."),
    layout: Literal["nhwc", "nchw"] = typer.Option(None, help="onnx: of the input; nhwc by default."),
    target: Literal["web"] = typer.Option(None, "--for", help="onnx: a graph that browsers run faster."),
    images: Path = typer.Option(None, help="At least 64 aligned crops for the proof; by default generated images."),
    representative: Path = typer.Option(None, help="int8-full: aligned crops, the training data for instance."),
    calibrate: Path = typer.Option(
        None, help="Crops of people that training never saw, a sub-folder a person: thresholds of this very file."
    ),
    far: list[float] = wanted_rates("With --calibrate: wanted false accept rate; may be repeated."),
    lfw: Path = typer.Option(None, help="LFW's folder: Keras and all precisions are measured on it, for minutes."),
    pairs: Path = typer.Option(None, help="Likewise, a CSV with first, second, same; see `kerasface evaluate`."),
    json_path: Path = typer.Option(None, "--json", help="Write the report."),
    markdown_path: Path = typer.Option(None, "--markdown", help="Write its tables for a text."),
):
    """Export an embedder: RGB in, unit-length embedding out, proven equal to the Keras model.

    Example: kerasface export runs/first/best.keras --to tflite --precision int8 --out first.tflite
    """
    given = {"--batch": (batch, "tflite"), "--layout": (layout, "onnx"), "--for": (target, "onnx")}
    for option, (value, format_) in given.items():
        if value is not None and to != format_:
            raise KerasfaceError(f"{option} is for {format_} files. Received: --to {to}")
    if lfw is not None and pairs is not None:
        raise KerasfaceError("name one verification set, --lfw or --pairs. Received: both")
    for path in (json_path, markdown_path):
        check_writable(path)
    model = model_file(model, "keras")
    import_training_side(images, representative, calibrate, lfw, pairs)
    from kerasface.export import export as run
    from kerasface.export import load_trained, read_crops

    trained, spec = load_trained(model)
    own = {"batch": batch, "layout": layout, "web": True if target == "web" else None}
    options = {name: value for name, value in own.items() if value is not None}
    if images is not None:
        options["images"] = read_crops(images, spec, count=_PROOF, least=64)
    if representative is not None:
        options["representative"] = read_crops(representative, spec, count=_REPRESENTATIVE, least=64)
    if calibrate is not None:
        options["calibration"] = _people(calibrate, far)
    if lfw is not None or pairs is not None:
        options["pair_set"] = _pair_set(lfw, pairs)
    with progress_bar(error_console, "converting and proving") as update, quiet_standard_error():
        report = run(
            trained, out, to=to, spec=spec, precision=precision, input_dtype=input_dtype, progress=update, **options
        )
    # A hash that is cut short can't be compared.
    table = Table(
        "", Column("", overflow="fold"), title=f"{spec.name} as {report.format} {report.precision}", show_header=False
    )
    for row in report.rows():
        table.add_row(*row)
    console.print(table)
    _tell_carried(report)
    if report.comparison is not None:
        headings, rows = report.comparison.table()
        comparison = Table(
            *(Column(heading, overflow="fold") for heading in headings), title=report.comparison.benchmark
        )
        for row in rows:
            comparison.add_row(*row)
        console.print(comparison)
    write_report(json_path, lambda: report.to_json() + "\n")
    write_report(markdown_path, report.to_markdown)


# Files of one model embed alike in both.
_FLOATS = {"fp32", "fp16"}


def _tell_carried(report):
    """Says which thresholds came with the model and weren't measured on the file, and how to replace them."""
    alike = _FLOATS if report.precision in _FLOATS else {report.precision}
    carried = [threshold for threshold in report.thresholds if threshold.precision not in alike]
    if not carried:
        return
    listed = ", ".join(f"cosine {one.cosine:.4f} at FAR {one.far:g} ({one.precision})" for one in carried)
    command = "" if report.format == "saved-model" else f"`kerasface calibrate {report.path} FACES`, or "
    error_console.print(
        f"carried over from the model, not measured on this {report.precision} file: {listed}. Replace by its own: "
        f"{command}export with --calibrate FACES",
        soft_wrap=True, highlight=False,
    )  # fmt: skip


def _people(folder, fars):
    from kerasface.data import open_faces
    from kerasface.export import Calibration

    faces = open_faces(folder)
    return Calibration(faces.photos, faces.labels, folder.name, tuple(fars))


def _pair_set(lfw, pairs):
    from kerasface.evaluation import read_lfw, read_pair_list

    return read_pair_list(pairs) if lfw is None else read_lfw(lfw)
