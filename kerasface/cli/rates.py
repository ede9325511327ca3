"""False accept rates: the option that names them, and thresholds of them that a file loses."""

import typer

from kerasface.cli.console import error_console

__all__ = ["tell_dropped", "wanted_rates"]


def wanted_rates(text):
    """Returns the option with this help. A rate that is none is told at once, not after everybody was embedded."""
    # Not min and max, which would let 0 and 1 pass.
    return typer.Option([1e-2, 1e-3], callback=_rates, help=text)


def tell_dropped(thresholds):
    """Says which thresholds a file held and holds no more."""
    for old in thresholds:
        error_console.print(
            f"dropped: cosine {old.cosine:.4f} at FAR {old.far:g} from {old.calibrated_on} ({old.precision})",
            soft_wrap=True, highlight=False,
        )  # fmt: skip


def _rates(fars: list[float]):
    for far in fars:
        if not 0 < far < 1:
            raise typer.BadParameter(f"a rate lies between 0 and 1, 0.001 for instance. Received: {far:g}")
    return fars
