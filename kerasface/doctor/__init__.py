"""The doctor: what of kerasface works on this machine, and what to do about the rest."""

from kerasface.lazy import lazy

_HOMES = {"Checkup": "checkup", "Finding": "checkup", "check_up": "checkup"}

__all__ = ["Checkup", "Finding", "check_up"]


# Lazy: the probes run in processes of their own, which must not pay for what they don't probe.
__getattr__, __dir__ = lazy(__name__, _HOMES)
