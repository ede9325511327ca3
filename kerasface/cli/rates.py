"""The option that names false accept rates."""

import typer

__all__ = ["wanted_rates"]


def wanted_rates(text):
    """Returns the option with this help. A rate that is none is told at once, not after everybody was embedded."""
    # Not min and max, which would let 0 and 1 pass.
    return typer.Option([1e-2, 1e-3], callback=_rates, help=text)


def _rates(fars: list[float]):
    for far in fars:
        if not 0 < far < 1:
            raise typer.BadParameter(f"a rate lies between 0 and 1, 0.001 for instance. Received: {far:g}")
    return fars
