"""The proof that an import answers as its source does: the same pictures through both, each in its own runtime."""

import dataclasses
import json

import numpy as np

from kerasface.errors import KerasfaceError

__all__ = ["MAX_RELATIVE", "MIN_COSINE", "MIN_IMAGES", "Proof", "prove", "require"]

# float32 over a hundred layers: rounding is near 2e-6, a wrong weight anywhere far above.
MAX_RELATIVE, MIN_COSINE, MIN_IMAGES = 1e-4, 0.99999, 64
_BATCH = 16


@dataclasses.dataclass(frozen=True)
class Proof:
    """How near our embeddings are to a source's.

    Args:
        runtime: that ran the source: "ONNX Runtime", "LiteRT" or "torch".
        images: how many were compared.
        images_from: what they show.
        max_abs: largest difference of one coordinate.
        max_relative: the same, in units of the source embedding's own largest coordinate.
        min_cosine: between the two embeddings of one image.
    """

    runtime: str
    images: int
    images_from: str
    max_abs: float
    max_relative: float
    min_cosine: float

    def to_json(self):
        """Returns the proof as a JSON text, keys sorted, with the bounds that it had to keep."""
        bounds = {"max_relative": MAX_RELATIVE, "min_cosine": MIN_COSINE, "min_images": MIN_IMAGES}
        return json.dumps({**dataclasses.asdict(self), "bounds": bounds}, indent=2, sort_keys=True)


def prove(theirs, ours, images, *, runtime, images_from, progress=None):
    """Compares two embedders.

    Args:
        theirs: callable, uint8 (N, H, W, 3) RGB to (N, D): the source.
        ours: callable, the same: the imported model.
        images: uint8 (N, H, W, 3) RGB.
        runtime: name of the source's runtime.
        images_from: what the images show.
        progress: called as `progress(done, total)`, in images.

    Returns:
        `Proof`; whether it is good enough, `require` says.
    """
    rows = []
    for start in range(0, len(images), _BATCH):
        batch = images[start : start + _BATCH]
        source, imported = (np.asarray(embed(batch), np.float64) for embed in (theirs, ours))
        if source.shape != imported.shape:
            raise KerasfaceError(f"the source gives embeddings of {source.shape}, the import of {imported.shape}.")
        difference = np.abs(source - imported).max(axis=1)
        lengths = np.linalg.norm(source, axis=1) * np.linalg.norm(imported, axis=1)
        with np.errstate(all="ignore"):  # no direction, no cosine: `require` refuses NaN
            relative, cosine = difference / np.abs(source).max(axis=1), np.sum(source * imported, axis=1) / lengths
        rows.append(np.stack([difference, relative, cosine]))
        if progress is not None:
            progress(start + len(batch), len(images))
    difference, relative, cosine = np.concatenate(rows, axis=1)
    return Proof(
        runtime=runtime,
        images=len(images),
        images_from=images_from,
        max_abs=float(difference.max()),
        max_relative=float(relative.max()),
        min_cosine=float(cosine.min()),
    )


def require(proof):
    """Refuses an import that isn't its source.

    Args:
        proof: `Proof`.

    Raises:
        KerasfaceError: with the figures and their bounds.
    """
    # Written so that NaN fails too.
    if proof.max_relative <= MAX_RELATIVE and proof.min_cosine >= MIN_COSINE and proof.images >= MIN_IMAGES:
        return
    raise KerasfaceError(
        f"the import does not answer as its source: expected a relative difference of at most {MAX_RELATIVE} and a "
        f"cosine of at least {MIN_COSINE} over at least {MIN_IMAGES} images. Received: "
        f"max_relative={proof.max_relative:.3g}, min_cosine={proof.min_cosine:.6f}, images={proof.images}. Nothing was "
        "written."
    )
