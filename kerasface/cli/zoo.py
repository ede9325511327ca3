"""kerasface zoo."""

import sys
from pathlib import Path
from typing import Literal

import typer
from rich.table import Column, Table

from kerasface.cli.console import (
    console,
    error_console,
    import_extra,
    import_training_side,
)
from kerasface.cli.rates import tell_dropped
from kerasface.errors import KerasfaceError
from kerasface.progress import progress_bar
from kerasface.quiet import quiet_standard_error

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Pretrained embedders.")


@app.callback()
def _group():
    pass


@app.command()
def ls(
    pattern: str = typer.Argument("*", help="Of names, with * and ?."),
    local: bool = typer.Option(False, "--local", help="Only those that you imported."),
):
    """List the embedders there are, the best figure first.

    Example: kerasface zoo ls "*mobile*"
    """
    from kerasface.zoo import list_models

    models = list_models(pattern, local=local)
    if not models:
        where = "you have imported no embedder" if local else "the zoo has no embedder"
        if pattern != "*":
            raise KerasfaceError(
                f"{where} named {pattern}. `kerasface zoo ls{' --local' * local}` lists those there are."
            )
        raise KerasfaceError(f"{where}. `kerasface zoo import` brings in weights that you have.")
    # A name that is cut short can't be given to another command; licences are whole sentences and stand below.
    table = Table(Column("name", no_wrap=True), "pixels →\nembedding", "files, MB", "figure", padding=0)
    for name, model in sorted(models.items(), key=_best_first):
        spec = model.spec
        figure = _first_figure(model)
        table.add_row(
            name,
            f"{spec.input_height}×{spec.input_width} → {spec.embedding_size}",
            "\n".join(f"{kind} {file.size / 1e6:.2f}" for kind, file in sorted(model.files.items())),
            f"{figure.benchmark} {figure.metric}\n{_shown(figure)(figure.value)}\nof {figure.format}" if figure else "",
        )
    console.print(table)
    licences: dict[str, list[str]] = {}
    for name, model in models.items():
        licences.setdefault(model.licence_weights, []).append(name)
    for licence, names in licences.items():
        console.print(f"licence of the weights, {', '.join(names)}: {licence}", highlight=False)


def _first_figure(model):
    return model.figures[0] if model.figures else None


def _best_first(item):
    name, model = item
    figure = _first_figure(model)
    # Figures of different benchmarks can't be compared; those that nobody measured come last.
    return (figure is None, *((figure.benchmark, figure.metric, -figure.value) if figure else ()), name)


@app.command()
def show(name: str = typer.Argument(help="Of the embedder.")):
    """Show what is known of an embedder: files, figures, thresholds, data, licences.

    Example: kerasface zoo show mobilefacenet.sface_photos_full
    """
    from kerasface.zoo import find

    base, model = find(name)
    spec = model.spec
    facts = Table("", Column("", overflow="fold"), title=name, show_header=False)
    facts.add_row("from", base.address)
    facts.add_row("embedding", f"{spec.embedding_size} numbers, compared by {spec.metric}")
    facts.add_row("input", f"{spec.input_height}×{spec.input_width}, template {spec.template}")
    facts.add_row("trained on", model.training_data)
    facts.add_row("recipe", model.recipe)
    facts.add_row("built", f"{model.date} by kerasface {model.library_version}")
    facts.add_row("licence of the weights", model.licence_weights)
    facts.add_row("of the data", model.licence_data)
    facts.add_row("of the code", model.licence_code)
    facts.add_row("card", base.location(model.card) if model.card else "none")
    facts.add_row("embedder", spec.embedder_id)
    console.print(facts)
    accepted = _accepted(model)
    files = Table("format", "size", "sha256", "thresholds (cosine at FAR)", title="files")
    for kind, file in sorted(model.files.items()):
        cosines = "\n".join(
            f"{entry.cosine:.4f} at {entry.far:g}"
            + (f", TAR {accepted[kind, entry.far]:.2%}" if (kind, entry.far) in accepted else "")
            for entry in file.spec.thresholds
        )
        files.add_row(kind, f"{file.size / 1e6:.2f} MB", file.sha256[:16] + "…", cosines or "none")
    console.print(files)
    if accepted:
        console.print("TAR: the part of LFW's pairs of one person that it accepts. Commands take the lowest FAR's.")
    if model.figures:
        console.print(_main_figures(model))
        if model.card:
            console.print(f"all {len(model.figures)} figures: {base.location(model.card)}", soft_wrap=True)


def _accepted(model):
    """dict of (format, FAR) to the part of LFW's pairs of one person that the threshold for it accepts."""
    from kerasface.zoo.manifest import AT_THRESHOLD

    start = f"TAR{AT_THRESHOLD}"
    return {
        (figure.format, float(figure.metric.removeprefix(start))): figure.value
        for figure in model.figures
        if figure.benchmark == "LFW" and figure.metric.startswith(start)
    }


def _main_figures(model):
    """A table of the first figure's metric: a row for each protocol, a column for each file."""
    metric = model.figures[0].metric
    rows = {}
    for figure in model.figures:
        if figure.metric == metric:
            rows.setdefault((figure.benchmark, figure.protocol), {})[figure.format] = figure
    formats = sorted(model.files)
    table = Table("on", *formats, title=f"{metric}, with its 95 % interval")
    for (benchmark, protocol), figures in rows.items():
        cells = [_figure_text(figures[one]) if one in figures else "" for one in formats]
        table.add_row(f"{benchmark}: {protocol}", *cells)
    return table


def _figure_text(figure):
    show = _shown(figure)
    spread = "" if figure.std is None else f" ± {show(figure.std)}"
    interval = "" if figure.low is None else f" [{show(figure.low)}, {show(figure.high)}]"
    return f"{show(figure.value)}{spread}{interval}"


def _shown(figure):
    """How a figure is written, on its card and here."""
    return "{:.4f}".format if figure.metric == "AUC" else "{:.2%}".format


@app.command()
def get(
    name: str = typer.Argument(help="Of the embedder."),
    format: str = typer.Option("tflite-fp16", help="Of the file; `kerasface zoo show NAME` lists them."),
    out: Path = typer.Option(None, help="Copy to make, with its sidecar; by default the file stays in the cache."),
):
    """Fetch a file of an embedder and verify it.

    Example: kerasface zoo get mobilefacenet.sface_photos_full --out embedder.tflite
    """
    from kerasface.edge.atomic import write_atomically
    from kerasface.edge.metadata import sidecar_path
    from kerasface.zoo import find
    from kerasface.zoo import get as fetch

    _, model = find(name)
    with progress_bar(error_console, f"fetching {name}") as update:
        path = fetch(name, format, progress=update)
    if out is not None:
        before = _thresholds(out)
        try:
            write_atomically(out, path.read_bytes(), mode=0o644)
            write_atomically(sidecar_path(out), sidecar_path(path).read_bytes(), mode=0o644)
        except OSError as error:
            raise KerasfaceError(f"can't write {out}: {error.strerror}. Name another file with --out.") from error
        path = out
        # A file may have been calibrated there, and from now on another cosine decides.
        after = _thresholds(out)
        tell_dropped(threshold for threshold in before if threshold not in after)
    console.print(str(path), soft_wrap=True)
    # Not to standard output: `$(kerasface zoo get NAME)` is the path.
    error_console.print(f"licence of the weights: {model.licence_weights}", soft_wrap=True, highlight=False)


def _thresholds(path):
    """Those in the sidecar of a file; none where nothing readable stands there."""
    from kerasface.edge.metadata import read_spec

    try:
        return read_spec({}, path.read_bytes(), path).thresholds
    except (OSError, KerasfaceError):
        return ()


@app.command()
def verify(pattern: str = typer.Argument("*", help="Of names, with * and ?.")):
    """Fetch every file of the embedders, where it isn't cached, and compare it with the manifest's sha256.

    Example: kerasface zoo verify
    """
    from kerasface.zoo import get as fetch
    from kerasface.zoo import list_models

    files = [(name, format) for name, model in list_models(pattern).items() for format in sorted(model.files)]
    if not files:
        raise KerasfaceError(f"the zoo has no embedder named {pattern}. `kerasface zoo ls` lists those there are.")
    failed = []
    for name, format in files:
        try:
            with progress_bar(error_console, f"verifying {name}") as update:
                fetch(name, format, progress=update)
        except KerasfaceError as error:
            failed.append(f"{name} {format}")
            error_console.print(f"{failed[-1]}: {error}", soft_wrap=True, highlight=False)
        else:
            console.print(f"{name} {format}: as the manifest says", soft_wrap=True)
    if failed:
        raise KerasfaceError(f"{len(failed)} of {len(files)} files can't be verified: {', '.join(failed)}.")


@app.command()
def build(
    recipe: Path = typer.Argument(help="YAML file; the project's own lie in zoo/recipes."),
    data: Path = typer.Option(help="Aligned faces, as `kerasface train` takes them."),
    lfw: Path = typer.Option(help="LFW's folder, aligned_112/ and pairs.txt: for reporting only."),
    run: Path = typer.Option(
        None, help="Folder of the training run: taken where finished, gone on with, or made; runs/RECIPE by default."
    ),
    photos: list[Path] = typer.Option([], help="More aligned photos, without identities; for recipes with a teacher."),
    cfp: Path = typer.Option(
        None, help="CFP's folder, aligned_112/ and Protocol/; not for models that saw its photos."
    ),
    change: list[str] = typer.Option([], "--set", metavar="FIELD=VALUE", help="Replace a field of the recipe."),
    as_it_is: bool = typer.Option(False, "--as-it-is", help="Take the best epoch of a run that was stopped early."),
    out: Path = typer.Option(Path("runs/upload"), help="Folder to upload; other models in it stay."),
    ship: Path = typer.Option(None, metavar="CHECKOUT", help="Put it into this source tree's package and cards too."),
):
    """Build a model of the zoo: train, measure, write all files with their thresholds, its card and its entry.

    Example: kerasface zoo build zoo/recipes/mobilefacenet_arcface_celeba.yaml --data celeba/ --lfw lfw/ --ship .
    """
    import_training_side(recipe, data, lfw, cfp, *photos)
    import_extra("matplotlib")
    from kerasface.zoo.workshop import build as make

    run = run or Path("runs") / recipe.stem
    record = make(
        recipe, data, lfw, out, run=run, photos=photos, cfp=cfp, changes=change, as_it_is=as_it_is, checkout=ship,
        console=console,
    )  # fmt: skip
    if record is None:
        console.print("stopped; the same command goes on")
        sys.exit(130)
    table = Table("format", "size", "thresholds (cosine at FAR)", title=record.model.name)
    for format, file in record.model.files.items():
        cosines = ", ".join(f"{entry.cosine:.4f} at {entry.far:g}" for entry in file.spec.thresholds)
        table.add_row(format, f"{file.size / 1e6:.2f} MB", cosines)
    console.print(table)
    console.print(f"card: {out}/{record.model.card}", soft_wrap=True)


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
    import_training_side(source, images)
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
    title = f"{spec.name}: {report.arch} from {source.name}"
    # A hash that is cut short can't be compared.
    table = Table("", Column("", overflow="fold"), title=title, show_header=False)
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
