"""Client of the zoo: embedders by name, and weights from elsewhere into our models."""

from kerasface.lazy import lazy

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
__getattr__, __dir__ = lazy(__name__, _HOMES)
