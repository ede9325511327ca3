"""Calibrated thresholds for an embedder, from a folder of people, into its spec."""

from collections.abc import Callable, Sequence

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.all_pairs import impostor_tail
from kerasface.evaluation.representation import for_crops, represent
from kerasface.evaluation.threshold import calibrate_tail
from kerasface.spec import EmbedderSpec

__all__ = ["calibrate_embedder"]


def calibrate_embedder(
    embed: Callable[[np.ndarray], np.ndarray],
    spec: EmbedderSpec,
    images: Sequence,
    labels,
    *,
    fars: Sequence[float],
    calibrated_on: str,
    precision: str,
    progress: Callable[[int, int], None] | None = None,
) -> tuple[EmbedderSpec, dict[float, str]]:
    """Chooses a threshold for each false accept rate over all impostor pairs of a labelled set.

    Args:
        embed: callable, uint8 (B, H, W, 3) RGB -> (B, D) float.
        spec: of the embedder; its flip is used.
        images: N paths of aligned crops, or (N, H, W, 3) uint8 RGB, of people that training never saw.
        labels: (N,) int, the person on each.
        fars: wanted false accept rates, in (0, 1).
        calibrated_on: name of the set, as a user should read it.
        precision: of the embedder that `embed` runs: "fp32", "fp16", "int8", …; `export.stored_precision` tells a
            file's.
        progress: called as `progress(done, total)`, in images.

    Returns:
        The spec with the new thresholds in the place of all it had, and why other rates were left out. Were an old one
        to stay, of other people or another precision, and its rate the strictest, it would still decide.

    Raises:
        KerasfaceError: the set supports none of the rates, crops of another size than the spec's, or see `represent`.

    Example:
        >>> spec, left_out = calibrate_embedder(embed, spec, faces.photos, faces.labels, fars=(1e-3,),
        ...                                     calibrated_on="our staff", precision="fp16")
    """
    if not fars:
        raise ValueError("at least one false accept rate is needed. Received: none")
    embeddings = represent(for_crops(embed, spec), images, flip=spec.flip, progress=progress)
    tail = impostor_tail(embeddings, np.asarray(labels), rate=max(fars))
    found, left_out = [], {}
    for far in fars:
        try:
            found.append(calibrate_tail(tail, far=far, calibrated_on=calibrated_on, precision=precision))
        except KerasfaceError as error:
            left_out[far] = str(error)
    if not found:
        raise KerasfaceError(left_out[max(fars)])
    return spec.replace(thresholds=tuple(found)), left_out
