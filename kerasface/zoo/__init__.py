"""Client of the zoo: weights from elsewhere into our models."""

import importlib

_HOMES = {"ImportReport": "importer", "import_weights": "importer"}

__all__ = ["ImportReport", "import_weights"]


# Lazy: only what reads or builds a model needs TensorFlow.
def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(f"kerasface.zoo.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'kerasface.zoo' has no attribute {name!r}")
