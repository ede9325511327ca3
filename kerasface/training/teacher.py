"""The teacher's embeddings of the training photos: computed once, kept on disk by the content of model and photo."""

import hashlib
import io
from pathlib import Path

import numpy as np

from kerasface.edge.assets import cache_dir
from kerasface.edge.atomic import write_atomically
from kerasface.edge.images import load_image
from kerasface.edge.runtime import open_session, read_model
from kerasface.errors import KerasfaceError

__all__ = ["teacher_embeddings"]

_BATCH = 32
# A part is written every so many photos: what an interruption can cost.
_PART = 1024


def teacher_embeddings(settings, photos, *, embedding_dim=None, progress=None):
    """Embeds every photo and its mirror image with the teacher; what was embedded before is read from the cache.

    The student's target is the direction of both embeddings' sum, so that it learns the same face from either.

    Args:
        settings: the recipe's `teacher` section.
        photos: paths, or the `photos` of a `FaceSource`, aligned and of the teacher's input size.
        embedding_dim: the student's, which must be the teacher's too; None where there is no student.
        progress: function of (done, total), or None.

    Returns:
        (N, D) float32, unit rows.

    Raises:
        KerasfaceError: the teacher can't be opened, isn't an embedder of single photos, or has another embedding_dim,
            which its first batch tells; or photos have another size.

    Example:
        >>> teacher_embeddings(recipe.teacher, faces.photos).shape
        (29875, 128)
    """
    content = read_model(settings.model)
    session = open_session(content, settings.model)
    preprocessing = f"{settings.mean} {settings.std} {settings.channel_order}"
    key = hashlib.sha256(content + preprocessing.encode()).hexdigest()
    cache = _Cache(cache_dir() / "teachers" / key[:32])
    hashes = [hashlib.sha256(_content(photo)).hexdigest() for photo in photos]
    missing = {digest: photo for digest, photo in zip(hashes, photos, strict=True) if digest not in cache.rows}
    fresh = list(missing.items())
    for start in range(0, len(fresh), _PART):
        part = fresh[start : start + _PART]
        rows = []
        for first in range(0, len(part), _BATCH):
            batch = [photo for _, photo in part[first : first + _BATCH]]
            rows.append(_embed(session, settings, batch))
            _check_dimension(rows[-1], embedding_dim, settings.model)
            if progress:
                progress(start + first + len(batch), len(fresh))
        cache.add([digest for digest, _ in part], np.concatenate(rows))
    both = np.stack([cache.rows[digest] for digest in hashes]).astype(np.float32)
    _check_dimension(both, embedding_dim, settings.model)
    total = (both / np.linalg.norm(both, axis=-1, keepdims=True)).sum(axis=1)
    return total / np.linalg.norm(total, axis=-1, keepdims=True)


class _Cache:
    """Rows (2, D) by the photo's sha256, in parts that are each written whole; one that is damaged is thrown away."""

    def __init__(self, folder):
        self.folder = folder
        self.rows = {}
        for path in sorted(folder.glob("part_*.npz")):
            try:
                with np.load(path, allow_pickle=False) as part:
                    self.rows.update(zip(part["photos"].tolist(), part["embeddings"], strict=True))
            except (MemoryError, PermissionError):  # the part may be whole, and took the teacher's time
                raise
            # What a damaged archive makes its readers stumble over: BadZipFile, EOFError, ValueError, OSError, ….
            except Exception:
                path.unlink(missing_ok=True)

    def add(self, digests, embeddings):
        # Named by what it holds: two processes that embed the same photos don't disturb each other.
        name = hashlib.sha256("".join(digests).encode()).hexdigest()[:16]
        content = io.BytesIO()
        np.savez(content, photos=np.array(digests), embeddings=embeddings)
        write_atomically(self.folder / f"part_{name}.npz", content.getvalue(), mode=0o644)
        self.rows.update(zip(digests, embeddings, strict=True))


def _check_dimension(rows, embedding_dim, model):
    if embedding_dim not in (None, rows.shape[-1]):
        raise KerasfaceError(
            f"student and teacher need the same embedding_dim: set backbone.embedding_dim to {rows.shape[-1]}, which "
            f"{model} gives. Received: {embedding_dim}"
        )


def _embed(session, settings, photos):
    images = np.stack([_pixels(photo, session, settings) for photo in photos])
    images = np.concatenate([images, images[:, :, ::-1]])
    if settings.channel_order == "bgr":
        images = images[..., ::-1]
    pixels = (images.astype(np.float32) - settings.mean) / settings.std
    if _channels_first(session):
        pixels = pixels.transpose(0, 3, 1, 2)
    pixels = np.ascontiguousarray(pixels.astype(session.input_dtype))
    if session.input_shape[0] == 1:
        output = np.concatenate([session.run(pixels[row : row + 1])[0] for row in range(len(pixels))])
    else:
        output = session.run(pixels)[0]
    output = output.reshape(len(pixels), -1).astype(np.float32)
    return np.stack([output[: len(photos)], output[len(photos) :]], axis=1)


def _channels_first(session):
    shape = session.input_shape
    if len(shape) != 4 or (shape[1] == 3) == (shape[3] == 3):
        raise KerasfaceError(f"the teacher must take pictures, (N, H, W, 3) or (N, 3, H, W). Received: {shape}")
    return shape[1] == 3


def _content(photo):
    return (Path(photo) if isinstance(photo, str) else photo).read_bytes()


def _pixels(photo, session, settings):
    image = load_image(photo)
    height, width = session.input_shape[2:] if _channels_first(session) else session.input_shape[1:3]
    if image.shape[:2] != (height, width):
        raise KerasfaceError(
            f"the teacher {settings.model} takes {height}x{width} pixels. "
            f"Received: {image.shape[0]}x{image.shape[1]}: {photo}"
        )
    return image
