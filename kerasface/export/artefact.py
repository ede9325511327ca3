"""Runs an exported artefact as a device would, on plain RGB pictures, whatever its input looks like."""

from pathlib import Path

import numpy as np

from kerasface.edge.runtime import open_session, read_model

__all__ = ["open_artefact"]

_FREE_BATCH = 16


def open_artefact(path):
    """Opens an artefact and returns what embeds with it.

    Not `edge.Embedder`: that one normalizes again, which would hide a file that doesn't.

    Args:
        path: TFLite or ONNX file, or the folder of a SavedModel.

    Returns:
        callable, uint8 (N, H, W, 3) RGB to float32 (N, D), as the file gives them.

    Raises:
        KerasfaceError: none of these.

    Example:
        >>> open_artefact("model.tflite")(natural_images(64)).shape
        (64, 512)
    """
    if Path(path).is_dir():
        return _saved_model(path)
    session = open_session(read_model(path), path)

    def embed(images):
        batch = session.input_shape[0] or _FREE_BATCH
        rows = [session.run(session.fed(chunk))[0][:count] for chunk, count in _chunks(images, batch)]
        return np.concatenate(rows)

    return embed


def _chunks(images, batch):
    """Pieces of exactly `batch` images, the last filled up by repeating, with how many of each count."""
    for start in range(0, len(images), batch):
        chunk = images[start : start + batch]
        yield np.resize(chunk, (batch, *chunk.shape[1:])), len(chunk)


def _saved_model(path):
    import tensorflow as tf

    loaded = tf.saved_model.load(str(path))
    # The signature lives as long as what it was loaded with.
    signature = loaded.signatures["serving_default"]
    dtype = signature.structured_input_signature[1]["image"].dtype

    def embed(images, _kept_alive=loaded):
        chunks = (images[start : start + _FREE_BATCH] for start in range(0, len(images), _FREE_BATCH))
        return np.concatenate([signature(image=tf.cast(chunk, dtype))["embedding"].numpy() for chunk in chunks])

    return embed
