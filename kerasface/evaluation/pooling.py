"""Several images of a person, or a video, as one embedding: templates."""

import numpy as np

from kerasface.evaluation.representation import unit

__all__ = ["EmptyTemplateError", "pool"]

# Rows summed at once, 64 MiB of 512-d float64: IJB-C has 469,375.
_BLOCK = 16_384


class EmptyTemplateError(ValueError):
    """A template whose images cancel out or all weigh nothing; `template` is its number."""

    def __init__(self, template: int):
        super().__init__(f"the images of a template cancel out or weigh nothing. Received: template {template}")
        self.template = template


def pool(embeddings, templates, *, media=None, weights=None) -> np.ndarray:
    """Pools embeddings into templates: the mean of every medium, the sum of a template's media, scaled to length 1.

    Frames of one video are nearly one picture; as one medium they count as much as one photo. Without media every image
    counts alike.

    Args:
        embeddings: (N, D) float; their lengths weigh them, so unit ones count alike.
        templates: (N,) int, the template of each row, numbered 0 to T - 1 without a gap.
        media: (N,) int, the photo or video that each row comes from; equal numbers in different templates are
            different media.
        weights: (N,) float >= 0, such as detector scores; a blurred frame then says less.

    Returns:
        (T, D) float32, rows of length 1.

    Raises:
        EmptyTemplateError: a template whose images cancel out or all weigh nothing.
        ValueError: lengths that differ, a number without images, or a negative weight.

    Example:
        >>> pool(frame_embeddings, video_of_frame)

    Reference:
        Whitelam et al., IARPA Janus Benchmark-B face dataset, CVPRW 2017, for templates and media; Crosswhite et al.,
        Template adaptation for face verification and identification, FG 2017, for media pooling. Weighting by detector
        scores is a part of the published IJB evaluation of insightface (see `embed_ijb`).
    """
    embeddings, templates = np.asarray(embeddings), np.asarray(templates)
    # One medium, whose mean has the direction of the sum; a medium for each row would be a float64 copy of them all.
    media = templates if media is None else np.asarray(media)
    weights = np.ones(len(embeddings)) if weights is None else np.asarray(weights, np.float64)
    lengths = {len(embeddings), *templates.shape, *media.shape, *weights.shape}
    if embeddings.ndim != 2 or len(lengths) != 1 or not len(embeddings):
        received = f"{embeddings.shape}, {templates.shape}, {media.shape}, {weights.shape}"
        raise ValueError(f"embeddings (N, D), templates, media and weights (N,) are needed. Received: {received}")
    if not (np.isfinite(weights).all() and weights.min() >= 0):
        raise ValueError(f"weights must be finite and at least 0. Received: {weights.min()}")
    # Rows of a template, and in it of a medium, side by side: both sums are then sums of runs.
    order = np.lexsort([media, templates])
    templates, media = templates[order], media[order]
    new_template = np.append(True, templates[1:] != templates[:-1])
    new_medium = new_template | np.append(True, media[1:] != media[:-1])
    starts = np.flatnonzero(new_medium)
    counts = np.diff(np.append(starts, len(templates)))
    means = _run_sums(embeddings, weights, order, starts) / counts[:, None]
    first_media = np.flatnonzero(new_template[starts])
    numbers = templates[starts][first_media]
    if not np.array_equal(numbers, np.arange(numbers.size)):
        raise ValueError(f"templates must be numbered from 0 without a gap. Received: {numbers[:5]}… of {numbers.size}")
    sums = np.add.reduceat(means, first_media, axis=0)
    empty = np.linalg.norm(sums, axis=1) < 1e-6  # float32 rounding of a sum that is zero
    if empty.any():
        raise EmptyTemplateError(int(np.flatnonzero(empty)[0]))
    return unit(sums)


def _run_sums(embeddings, weights, order, starts):
    """Weighted sums over the runs that begin at `starts`, block by block: no second copy of all embeddings."""
    sums = np.zeros((len(starts), embeddings.shape[1]))
    for start in range(0, len(order), _BLOCK):
        rows = order[start : start + _BLOCK]
        first = np.searchsorted(starts, start, side="right") - 1
        last = np.searchsorted(starts, start + len(rows), side="left")
        inner = np.maximum(starts[first:last] - start, 0)
        sums[first:last] += np.add.reduceat(embeddings[rows] * weights[rows, None], inner, axis=0)
    return sums
