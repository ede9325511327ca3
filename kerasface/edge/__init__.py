"""What runs on the device, without TensorFlow or Keras: photo → faces → embeddings → names."""

import importlib

# Lazy (PEP 562): a gallery needs no Pillow, an embedder no detector, and the import itself costs next to nothing.
_HOMES = {
    "AlignedCrops": "aligned",
    "EmbeddedFace": "pipeline",
    "Embedder": "embedder",
    "Face": "detection.detector",
    "FaceDetector": "detection.detector",
    "FacePipeline": "pipeline",
    "FaceTracker": "watching.tracker",
    "Gallery": "galleries.gallery",
    "Match": "galleries.gallery",
    "RenewalKey": "galleries.renewal",
    "Secret": "galleries.sealing",
    "WatchedFace": "watching.watcher",
    "Watcher": "watching.watcher",
    "changing": "galleries.lock",
    "decision_threshold": "thresholds",
    "draw_names": "watching.drawing",
    "enroll_photos": "enrollment",
    "load_image": "images",
    "new_key_file": "galleries.key_file",
    "photos_by_person": "enrollment",
    "photos_left_out": "enrollment",
    "read_frames": "watching.frames",
    "the_face": "detection.selection",
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
    "photos_left_out",
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
