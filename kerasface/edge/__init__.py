"""What runs on the device, without TensorFlow or Keras: photo → faces → embeddings → names."""

import importlib

# Lazy (PEP 562): a gallery needs no Pillow, an embedder no detector, and the import itself costs next to nothing.
_HOMES = {
    "AlignedCrops": "aligned",
    "EmbeddedFace": "pipeline",
    "Embedder": "embedder",
    "Face": "detector",
    "FaceDetector": "detector",
    "FacePipeline": "pipeline",
    "FaceTracker": "tracker",
    "Gallery": "gallery",
    "Match": "gallery",
    "RenewalKey": "renewal",
    "Secret": "sealing",
    "WatchedFace": "watcher",
    "Watcher": "watcher",
    "changing": "gallery_lock",
    "decision_threshold": "thresholds",
    "draw_names": "drawing",
    "enroll_photos": "enrollment",
    "load_image": "images",
    "new_key_file": "key_file",
    "photos_by_person": "enrollment",
    "read_frames": "frames",
    "the_face": "selection",
}
_MODULES = ("align", "assets")

__all__ = [
    "AlignedCrops",
    "EmbeddedFace",
    "Embedder",
    "Face",
    "FaceDetector",
    "FacePipeline",
    "FaceTracker",
    "Gallery",
    "Match",
    "RenewalKey",
    "Secret",
    "WatchedFace",
    "Watcher",
    "align",
    "assets",
    "changing",
    "decision_threshold",
    "draw_names",
    "enroll_photos",
    "load_image",
    "new_key_file",
    "photos_by_person",
    "read_frames",
    "the_face",
]


def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(f"kerasface.edge.{_HOMES[name]}"), name)
    if name in _MODULES:
        return importlib.import_module(f"kerasface.edge.{name}")
    raise AttributeError(f"module 'kerasface.edge' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
