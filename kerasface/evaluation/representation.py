"""Test-time representation: from images to unit embeddings, with or without the mirror image."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from kerasface.errors import KerasfaceError

__all__ = ["for_crops", "represent", "unit"]

# How the unit embeddings of a face (B, D) and of its mirror image (B, D) are joined.
_JOINS = {
    "sum": lambda face, mirror: face + mirror,
    "concatenate": lambda face, mirror: np.concatenate([face, mirror], axis=1),
}


def represent(
    embed: Callable[[np.ndarray], np.ndarray],
    images: np.ndarray | Sequence[str | Path],
    *,
    flip: str = "none",
    batch_size: int = 128,
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """Embeds images batch by batch into unit vectors.

    Every view is scaled to unit length before views are joined, so an embedder that gives raw embeddings and its
    exported file, which gives unit ones, are represented alike.

    Args:
        embed: callable, uint8 (B, H, W, 3) RGB -> (B, D) float; `edge.Embedder.embed` and `FaceModel.predict` are such.
        images: (N, H, W, 3) uint8 RGB, or N paths of images of one size.
        flip: "none"; "sum" adds the embedding of the mirror image; "concatenate" puts it behind, which doubles D.
        batch_size: images embedded at once; the last batch may be smaller.
        progress: called as `progress(done, total)`, in images, after every batch.

    Returns:
        (N, D) float32, rows of length 1; (N, 2D) for "concatenate".

    Raises:
        KerasfaceError: an embedding with NaN, infinity or length zero, or a file that is no image or of another size,
            named by its row and path.
        ValueError: no images, wrong shapes or types, an unknown `flip`, or an `embed` that does not return (B, D).

    Example:
        >>> embeddings = represent(Embedder.load("face.tflite").embed, crops, flip="sum")

    Reference:
        Flip-concatenate: Liu et al., SphereFace, CVPR 2017, section 4.1. Flip-sum: Deng et al., ArcFace, CVPR 2019, the
        authors' verification code.
    """
    if flip not in ("none", *_JOINS):
        raise ValueError(f"flip must be 'none', 'sum' or 'concatenate'. Received: flip={flip!r}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1. Received: batch_size={batch_size}")
    if len(images) == 0:
        raise ValueError("there is nothing to embed. Received: no images")
    rows = np.empty((0, 0), np.float32)
    for start, batch in _batches(images, batch_size):
        joined = _embedded(embed, batch, images, start)
        if flip in _JOINS:
            mirror = _embedded(embed, np.ascontiguousarray(batch[:, :, ::-1]), images, start)
            joined = unit(_JOINS[flip](joined, mirror))
        if start == 0:
            rows = np.empty((len(images), joined.shape[1]), np.float32)
        rows[start : start + len(batch)] = joined
        if progress is not None:
            progress(start + len(batch), len(images))
    return rows


def for_crops(embed: Callable[[np.ndarray], np.ndarray], spec) -> Callable[[np.ndarray], np.ndarray]:
    """Has an embedder refuse whole photos, or crops of another size, with the way out.

    Args:
        embed: callable, uint8 (B, H, W, 3) RGB -> (B, D) float.
        spec: `EmbedderSpec` of the embedder.

    Returns:
        The same callable, which raises `KerasfaceError` for images of another size than the spec's.

    Example:
        >>> embeddings = represent(for_crops(embedder.embed, embedder.spec), crops)
    """

    def checked(images):
        if images.shape[1:] != spec.input_shape:
            wanted, received = (f"{shape[1]}×{shape[0]}" for shape in (spec.input_shape, images.shape[1:]))
            raise KerasfaceError(
                f"{spec.name} takes aligned crops of {wanted} pixels (width × height). Received: {received}. "
                f"Align the photos first: kerasface align PHOTOS ALIGNED --template {spec.template}"
            )
        return embed(images)

    return checked


def unit(embeddings) -> np.ndarray:
    """Scales every row to length 1, `x / ‖x‖`.

    Args:
        embeddings: (N, D) float, any norm but zero.

    Returns:
        (N, D) float32.

    Raises:
        ValueError: not (N, D), or a row of length zero or with NaN or infinity, named by its number.

    Example:
        >>> unit([[3.0, 4.0]]).round(2).tolist()
        [[0.6, 0.8]]
    """
    embeddings = np.asarray(embeddings)
    if embeddings.ndim != 2:
        raise ValueError(f"embeddings must be (N, D). Received: {embeddings.shape}")
    # float64: the squares of float16 embeddings overflow past a norm of 256.
    norms = np.sqrt(np.einsum("nd,nd->n", embeddings, embeddings, dtype=np.float64))
    directionless = ~(np.isfinite(norms) & (norms > 0))
    if directionless.any():
        row = int(np.flatnonzero(directionless)[0])
        raise ValueError(f"every embedding needs a direction. Received: row {row} of length {norms[row]}")
    rows = np.empty(embeddings.shape, np.float32)
    # Divided in float64 in a buffer of NumPy's own, without a second array of that width.
    return np.divide(embeddings, norms[:, None], out=rows, casting="same_kind")


def _batches(images, batch_size):
    """Yields the number of its first row and the pixels of each batch."""
    if isinstance(images, np.ndarray):
        if images.ndim != 4 or images.shape[-1] != 3 or images.dtype != np.uint8:
            received = f"{images.shape} {images.dtype}"
            raise ValueError(f"images must be (N, H, W, 3) uint8 RGB, or a list of paths. Received: {received}")
        for start in range(0, len(images), batch_size):
            yield start, images[start : start + batch_size]
        return

    from kerasface.edge.images import load_image

    shape = None
    for start in range(0, len(images), batch_size):
        batch = []
        for path in images[start : start + batch_size]:
            pixels = load_image(path)
            shape = shape or pixels.shape
            if pixels.shape != shape:
                raise KerasfaceError(
                    f"{path}: expected {shape[0]}x{shape[1]} pixels (height x width) like {images[0]}. Received: "
                    f"{pixels.shape[0]}x{pixels.shape[1]}. Are all of them aligned crops? "
                    "kerasface align PHOTOS ALIGNED makes them."
                )
            batch.append(pixels)
        yield start, np.stack(batch)


def _embedded(embed, batch, images, start):
    """Unit embeddings of a batch whose first image is `images[start]`."""
    embeddings = np.asarray(embed(batch))
    if embeddings.ndim != 2 or len(embeddings) != len(batch):
        raise ValueError(f"embed must return ({len(batch)}, D) for {len(batch)} images. Received: {embeddings.shape}")
    usable = np.isfinite(embeddings).all(axis=1) & (embeddings != 0).any(axis=1)
    if not usable.all():
        row = int(np.flatnonzero(~usable)[0])
        name = f"image {start + row}" + ("" if isinstance(images, np.ndarray) else f" ({images[start + row]})")
        values = np.array2string(embeddings[row, :4], precision=3, separator=", ")
        raise KerasfaceError(
            f"the embedding of {name} is zero or not finite, so it has no direction. Received: {values[:-1]}, …]. "
            "Did training diverge, or does a float16 export overflow? Try its fp32 file."
        )
    return unit(embeddings)
