"""kerasface zoo."""

from pathlib import Path
from typing import Literal

import typer
from rich.table import Table

from kerasface.cli.console import console, import_training_side, quiet_standard_error
from kerasface.progress import progress_bar

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Pretrained embedders.")


@app.callback()
def _group():
    pass


@app.command(name="import")
def import_(
    source: Path = typer.Argument(help="PyTorch state dict (.pt, .pth, .safetensors), float32 .onnx or .tflite file."),
    arch: str = typer.Option(help="iresnet18, 34, 50, 100 or 200, mbf, mobilefacenet; sizes are read from the source."),
    name: str = typer.Option(help="Of the new model: architecture.head_data."),
    out: Path = typer.Option(None, help="Folder to make; by default NAME in your own zoo, in the cache."),
    images: Path = typer.Option(
        None, help="Folder of at least 64 photos for the proof; by default crops of a portrait."
    ),
    mean: float = typer.Option(
        None, help="Of the pixels that SOURCE wants; 127.5 unless its graph subtracts one itself."
    ),
    std: float = typer.Option(None, help="Likewise, the divisor."),
    color_order: Literal["rgb", "bgr"] = typer.Option("rgb", help="Of the pixels that SOURCE wants."),
    origin: str = typer.Option(None, help="Where SOURCE was got from, for the card; by default its file name."),
    licence: str = typer.Option("unknown", help="Of the weights, as their author states it."),
    training_data: str = typer.Option("unknown", help="What the weights have seen."),
):
    """Import weights from elsewhere, proven to embed as their source does; nothing in the file is ever run.

    Example: kerasface zoo import backbone.pth --arch iresnet50 --name iresnet50.arcface_ms1mv3
    """
    import_training_side()
    from kerasface.zoo import import_weights

    # The runtimes log to standard error: the bar goes to standard output, which the table follows anyway.
    with progress_bar(console, "proving") as update, quiet_standard_error():
        report = import_weights(
            source,
            arch=arch,
            name=name,
            out=out,
            images=images,
            mean=mean,
            std=std,
            color_order=color_order,
            origin=origin,
            licence=licence,
            training_data=training_data,
            progress=update,
        )
    spec, proof = report.spec, report.proof
    table = Table(title=f"{spec.name}: {report.arch} from {source.name}", show_header=False)
    table.add_row("embedding", f"{spec.embedding_size} numbers from {spec.input_height}×{spec.input_width} pixels")
    table.add_row("preprocessing", f"mean {spec.mean}, std {spec.std}, {spec.color_order.upper()}")
    table.add_row(
        f"against {proof.runtime}",
        f"max difference {proof.max_abs:.1e} ({proof.max_relative:.1e} relative), min cosine {proof.min_cosine:.8f}",
    )
    table.add_row("proven on", proof.images_from)
    table.add_row("licence", spec.licence)
    table.add_row("source sha256", report.source_sha256)
    table.add_row("embedder", spec.embedder_id)
    console.print(table)
    console.print(f"model: {report.model_path}", soft_wrap=True)
