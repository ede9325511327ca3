"""kerasface plot."""

from pathlib import Path

import typer

from kerasface.cli.console import console, error_console, import_extra, import_training_side
from kerasface.cli.reports import check_figure
from kerasface.errors import KerasfaceError
from kerasface.progress import progress_bar

__all__ = ["app"]

app = typer.Typer(no_args_is_help=True, help="Figures of the margin heads: curves, boundaries, and the toy experiment.")

OUT = typer.Option(help="File to write, .png or .svg.")


@app.command()
def psi(out: Path = OUT):
    """Draw ψ(θ) for m = 1…4, and how annealing leads from cos θ to it.

    Example: kerasface plot psi --out psi.png
    """
    _write("psi_figure", out)


@app.command()
def target_logits(out: Path = OUT):
    """Draw the target's logit over its angle for every head.

    Example: kerasface plot target-logits --out target_logits.png
    """
    _write("target_logit_figure", out)


@app.command()
def boundaries(out: Path = OUT):
    """Draw where two classes part, over the angles to both, for five heads.

    Example: kerasface plot boundaries --out boundaries.png
    """
    _write("decision_boundary_figure", out)


@app.command()
def toy(
    out: Path = OUT,
    mnist: Path = typer.Option(None, help="mnist.npz; without it, scikit-learn's digits."),
    epochs: int = typer.Option(20, min=1, metavar="N", help="Over the digits, for each of the 18 trainings."),
):
    """Train every head on digits in two and three dimensions, and draw the features on one sheet; minutes.

    Example: kerasface plot toy --out toy.png --mnist mnist.npz --epochs 8
    """
    check_figure("--out", out)
    import_training_side()
    from kerasface import plot
    from kerasface import toy as room

    digits = room.load_digits(mnist)
    with progress_bar(error_console, "training") as update:
        runs = room.run_paper(digits, epochs=epochs, progress=update)
    console.print(str(plot.save(room.feature_sheet(runs, digits), out)), soft_wrap=True)


@app.command()
def report(
    path: Path = typer.Argument(help="What `kerasface evaluate --json` wrote."),
    out: Path = typer.Option(help="Folder for the figures."),
    kind: str = typer.Option("png", "--format", help="png or svg."),
):
    """Draw the figures of an evaluation again from its JSON: ROC, DET, angles, CMC.

    Example: kerasface plot report lfw.json --out figures --format svg
    """
    import_extra("matplotlib")
    from kerasface import plot
    from kerasface.evaluation import Report

    if kind not in ("png", "svg"):
        raise KerasfaceError(f"--format is png or svg. Received: {kind}")
    try:
        read = Report.from_json(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KerasfaceError(f"can't read {path}: {error.strerror}. `kerasface evaluate --json` writes one.") from error
    except ValueError as error:
        raise KerasfaceError(f"{path} is no report of `kerasface evaluate --json`: {error}") from error
    for name, figure in plot.report_figures(read).items():
        console.print(str(plot.save(figure, out / f"{name}.{kind}")), soft_wrap=True)


def _write(name, out):
    check_figure("--out", out)
    import_training_side()
    from kerasface import plot

    console.print(str(plot.save(getattr(plot, name)(), out)), soft_wrap=True)
