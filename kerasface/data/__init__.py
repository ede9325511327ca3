"""Data: folders of faces to batches, split by identity; augmentation; synthetic identities."""

import importlib

_HOMES = {
    "Augmentation": "augmentation",
    "ClassFolder": "folder",
    "batches": "stream",
    "check_files": "stream",
    "files_of_batch": "stream",
    "list_photos": "folder",
    "render_identities": "synthetic",
    "split_identities": "split",
    "write_class_folder": "folder",
}

__all__ = [
    "Augmentation",
    "ClassFolder",
    "batches",
    "list_photos",
    "render_identities",
    "split_identities",
    "write_class_folder",
]


# Lazy: rendering synthetic faces and listing folders need no TensorFlow.
def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(f"kerasface.data.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'kerasface.data' has no attribute {name!r}")
