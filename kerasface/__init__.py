"""kerasface: face embeddings for Keras 3, from margin heads to devices without TensorFlow."""

import importlib

__version__ = "0.1.0"

_ROOMS = ("backbones", "data", "edge", "evaluation", "export", "heads", "plot", "toy", "training", "zoo")
_CLASSES = {"FaceModel": "model", "EmbedderSpec": "spec", "KerasfaceError": "errors"}

__all__ = [
    "EmbedderSpec",
    "FaceModel",
    "KerasfaceError",
    "__version__",
    "backbones",
    "data",
    "edge",
    "evaluation",
    "export",
    "heads",
    "plot",
    "toy",
    "training",
    "zoo",
]


# Lazy (PEP 562): `from kerasface.edge import Embedder` must not import TensorFlow.
def __getattr__(name):
    if name in _CLASSES:
        return getattr(importlib.import_module(f"kerasface.{_CLASSES[name]}"), name)
    if name in _ROOMS:
        return importlib.import_module(f"kerasface.{name}")
    raise AttributeError(f"module 'kerasface' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
