"""Client of the zoo: embedders by name, and weights from elsewhere into our models."""

import importlib

_HOMES = {
    "ImportReport": "importer",
    "find": "client",
    "get": "client",
    "import_weights": "importer",
    "list_models": "client",
    "load": "client",
}

__all__ = ["ImportReport", "find", "get", "import_weights", "list_models", "load"]


# Lazy: only what reads or builds a model needs TensorFlow.
def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(f"kerasface.zoo.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'kerasface.zoo' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
