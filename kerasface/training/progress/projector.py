"""Embeddings of held-out people for TensorBoard's projector, each with its photo and its person."""

import io
from pathlib import Path

import numpy as np
from PIL import Image

from kerasface.edge.atomic import write_atomically
from kerasface.edge.images import load_image
from kerasface.evaluation import represent

__all__ = ["tiled", "write_projector"]

# A browser takes sprites of 8192×8192 pixels at most.
_THUMB, _MOST = 48, 8192 // 48 * (8192 // 48)
# What a table of one line a photo can't have in a name.
_BLANKS = str.maketrans("\t\r\n", "   ")
_CONFIG = """embeddings {{
  tensor_name: "held_out"
  tensor_path: "held_out.tsv"
  metadata_path: "held_out_people.tsv"
  sprite {{ image_path: "held_out.png" single_image_dim: {size} single_image_dim: {size} }}
}}
"""


def write_projector(folder, model, faces):
    """Writes unit embeddings, their people's names and thumbnails, and the file that tells the projector about them.

    Args:
        folder: of TensorBoard's event files.
        model: `FaceModel`.
        faces: `FaceSource`; of more than 28,900 photos every n-th is taken.
    """
    folder = Path(folder)
    rows = np.arange(0, len(faces), -(-len(faces) // _MOST))
    photos = [faces.photos[int(row)] for row in rows]
    unit = represent(model.predict_on_batch, photos, batch_size=64)
    thumbs = np.stack([_thumb(load_image(photo)) for photo in photos])
    names = [faces.names[label] for label in faces.labels[rows]]
    _write(folder / "held_out.tsv", _table([f"{value:.6f}" for value in row] for row in unit))
    _write(folder / "held_out_people.tsv", _table([name] for name in names))
    picture = io.BytesIO()
    Image.fromarray(tiled(thumbs)).save(picture, "PNG")
    _write(folder / "held_out.png", picture.getvalue())
    _write(folder / "projector_config.pbtxt", _CONFIG.format(size=_THUMB).encode())


def tiled(images):
    """Lays pictures (N, H, W, 3) into a square of rows, black where there are none left."""
    count, height, width, channels = images.shape
    side = int(np.ceil(np.sqrt(count)))
    square = np.zeros((side * side, height, width, channels), images.dtype)
    square[:count] = images
    return square.reshape(side, side, height, width, channels).swapaxes(1, 2).reshape(side * height, side * width, -1)


def _thumb(pixels):
    return np.asarray(Image.fromarray(pixels).resize((_THUMB, _THUMB), Image.Resampling.BOX))


def _table(rows):
    lines = ["\t".join(text.translate(_BLANKS) for text in row) for row in rows]
    # A folder's name that is not UTF-8 comes with surrogates, which no text file can hold.
    return "".join(f"{line}\n" for line in lines).encode(errors="replace")


def _write(path, content):
    write_atomically(path, content, mode=0o600)
