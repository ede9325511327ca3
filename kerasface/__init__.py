"""kerasface: face embeddings for Keras 3, from margin heads to devices without TensorFlow."""

from kerasface.lazy import lazy

__version__ = "0.1.0"

_ROOMS = ("alignment", "backbones", "data", "edge", "evaluation", "export", "heads", "plot", "toy", "training", "zoo")
_CLASSES = {"FaceModel": "model", "EmbedderSpec": "spec", "KerasfaceError": "errors"}

__all__ = [
    "EmbedderSpec",
    "FaceModel",
    "KerasfaceError",
    "__version__",
    "alignment",
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
__getattr__, __dir__ = lazy(__name__, _CLASSES, _ROOMS)
