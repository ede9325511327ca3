"""An exported face embedder on the device: pictures in, unit-length embeddings out."""

import numpy as np

from kerasface.edge.metadata import read_spec
from kerasface.edge.runtime import open_session, read_model
from kerasface.errors import KerasfaceError

__all__ = ["Embedder"]

_INPUT, _OUTPUT = "image", "embedding"
_DTYPES = ("uint8", "float32")
_FLIPS = ("none", "sum", "concatenate")
# Faces a run where the model leaves the batch free: bounds memory, and more isn't faster on a CPU.
_FREE_BATCH = 32


class Embedder:
    """A TFLite or ONNX file that turns aligned faces into embeddings; `Embedder.load` opens one.

    Preprocessing and normalization stand inside the file; what it expects is told by `spec`. Not for use from several
    threads at once: load one each.

    Args:
        session: of `kerasface.edge.runtime`.
        spec: the file's `EmbedderSpec`.
        path: of the file, for messages.

    Attributes:
        spec: the `EmbedderSpec`.

    Example:
        >>> embedder = Embedder.load("mobilefacenet.tflite")
        >>> first, second = embedder.embed(np.stack([crop_a, crop_b]))
        >>> cosine = first @ second
    """

    def __init__(self, session, spec, path):
        _check_interface(session, spec, path)
        self.spec = spec
        self._session = session
        self._path = path

    @classmethod
    def load(cls, path, threads=None):
        """Opens an exported embedder.

        Args:
            path: TFLite or ONNX file, told apart by content. A sidecar `path`.json is checked when there is one.
            threads: per run; None leaves it to the runtime.

        Raises:
            KerasfaceError: no such file, not a model, no EmbedderSpec, another sha256 than the sidecar's, an interface
                that isn't an embedder's, or ONNX Runtime is needed and not installed.
        """
        content = read_model(path)
        session = open_session(content, path, threads=threads)
        return cls(session, read_spec(session.metadata, content, path), path)

    def embed(self, images, *, flip=None):
        """Embeds aligned faces.

        Args:
            images: (N, H, W, 3) uint8 RGB, H and W as in `spec.input_shape`, aligned to `spec.template`.
            flip: "none"; "sum" (face + mirror image, normalized); "concatenate" (both, of 2·D numbers). None obeys
                `spec.flip`. Embeddings of different flips can't be compared.

        Returns:
            (N, D) float32 of unit length, so that a dot product is the cosine; (N, 2·D) with "concatenate".

        Raises:
            ValueError: another shape or dtype, an unknown flip.
            KerasfaceError: the model gave zeros or no numbers.
        """
        flip = self.spec.flip if flip is None else flip
        if flip not in _FLIPS:
            raise ValueError(f"flip must be one of {', '.join(_FLIPS)}, or None. Received: flip={flip!r}")
        self._check_images(images)
        embeddings = self._run(images)
        if flip == "sum":
            embeddings = embeddings + self._run(images[:, :, ::-1])
        elif flip == "concatenate":
            embeddings = np.concatenate([embeddings, self._run(images[:, :, ::-1])], axis=1)
        return self._unit(embeddings)

    def _run(self, images):
        batch = self._session.input_shape[0] or _FREE_BATCH
        embeddings = np.empty((len(images), self.spec.embedding_size), np.float32)
        for start in range(0, len(images), batch):
            chunk = images[start : start + batch]
            count = len(chunk)
            if self._session.input_shape[0] and count < batch:
                chunk = np.concatenate([chunk, np.zeros((batch - count, *chunk.shape[1:]), np.uint8)])
            embeddings[start : start + count] = self._session.run(self._session.fed(chunk))[0][:count]
        return self._unit(embeddings)

    def _unit(self, embeddings):
        norms = np.linalg.norm(embeddings, axis=1, keepdims=True)
        bad = np.flatnonzero(~((norms > 0) & np.isfinite(norms)))
        if bad.size:
            raise KerasfaceError(
                f"{self._path} gave embeddings without a direction (zeros or NaN) for images {bad[:5].tolist()}: "
                "the file is damaged or its export went wrong. Export it again."
            )
        return embeddings / norms

    def _check_images(self, images):
        expected = self.spec.input_shape
        shape, dtype = getattr(images, "shape", None), getattr(images, "dtype", None)
        if not isinstance(images, np.ndarray) or dtype != np.uint8 or shape[1:] != expected or len(shape) != 4:
            way_out = " Is it one face? Pass images[None]." if shape == expected else ""
            raise ValueError(
                f"images must be a uint8 RGB array of shape (N, {', '.join(map(str, expected))}). "
                f"Received: {type(images).__name__}, shape={shape}, dtype={dtype}.{way_out}"
            )


def _check_interface(session, spec, path):
    # Compared as text, so that the message shows what differs.
    height, width, channels = spec.input_shape
    sizes = {(height, width, channels), (channels, height, width)}
    size = session.output_shapes[0][-1] if len(session.output_shapes[0]) == 2 else session.output_shapes[0]
    dimensions = tuple(session.input_shape[1:])
    dtype = str(session.input_dtype)
    expected = _interface(
        dtype if dtype in _DTYPES else _DTYPES[0],
        _INPUT,
        dimensions if dimensions in sizes else spec.input_shape,
        _OUTPUT,
        spec.embedding_size,
    )
    received = _interface(dtype, session.input_name, dimensions, session.output_names[0], size)
    if received != expected or len(session.output_names) != 1:
        raise KerasfaceError(f"{path} is not an embedder as its spec says: expected {expected}. Received: {received}")


def _interface(dtype, image, dimensions, embedding, size):
    return f"{dtype} {image!r} of (N, {', '.join(map(str, dimensions))}) to {embedding!r} of {size}"
