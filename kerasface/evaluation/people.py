"""Identification and angles on a set of people: several images of each, some of them strangers to the gallery."""

import dataclasses
from collections.abc import Callable, Sequence

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.angle_table import ClassAngles, class_angles
from kerasface.evaluation.identification import OpenSetResult, open_set
from kerasface.evaluation.representation import represent
from kerasface.evaluation.result import Result

__all__ = ["IdentificationReport", "evaluate_people", "first_images"]


@dataclasses.dataclass(frozen=True)
class IdentificationReport(Result):
    """What identification on a set of people tells.

    Args:
        benchmark, embedder, flip: what was measured, and how.
        searches: by gallery, its `OpenSetResult`.
        angles: within and between the people; None where they were not measured.
    """

    benchmark: str
    embedder: str
    flip: str
    searches: dict[str, OpenSetResult]
    angles: ClassAngles | None


def evaluate_people(
    embed: Callable[[np.ndarray], np.ndarray],
    images: Sequence,
    labels,
    *,
    benchmark: str,
    flip: str = "none",
    embedder: str = "",
    threshold: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> IdentificationReport:
    """Identifies every further image of people of whom one image is enrolled; people with one image are the strangers.

    Args:
        embed: callable, uint8 (B, H, W, 3) RGB -> (B, D) float.
        images: N paths of aligned crops, or (N, H, W, 3) uint8 RGB.
        labels: (N,) int, the person on each; the first image of a person, in this order, is enrolled.
        benchmark: name of the set.
        flip: see `represent`.
        embedder: its name, for the report.
        threshold: cosine to give FPIR and FNIR at, see `open_set`.
        progress: called as `progress(done, total)`, in images.

    Returns:
        An `IdentificationReport`.

    Raises:
        KerasfaceError: nobody has two images, or see `represent`.

    Example:
        >>> faces = open_faces("data/staff/aligned_112")
        >>> evaluate_people(embed, faces.photos, faces.labels, benchmark="staff").searches["one image"].rank1
    """
    gallery, probes = first_images(labels)
    if not gallery.any():
        raise KerasfaceError(f"{benchmark}: identification needs people with two images or more. Received: none")
    labels = np.asarray(labels)
    embeddings = represent(embed, images, flip=flip, progress=progress)
    result = open_set(embeddings[gallery], labels[gallery], embeddings[probes], labels[probes], threshold=threshold)
    angles = class_angles(embeddings, labels) if np.unique(labels).size > 1 else None
    return IdentificationReport(benchmark, embedder, flip, {"one image": result}, angles)


def first_images(labels) -> tuple[np.ndarray, np.ndarray]:
    """Splits a labelled set into the first image of each person who has several, and all others.

    Args:
        labels: (N,) int.

    Returns:
        (N,) bool of the gallery and (N,) bool of the probes. People with one image are among the probes, unknown.

    Example:
        >>> gallery, probes = first_images([7, 7, 8])
        >>> gallery.tolist(), probes.tolist()
        ([True, False, False], [False, True, True])
    """
    _, first, person, counts = np.unique(labels, return_index=True, return_inverse=True, return_counts=True)
    gallery = np.zeros(len(person), bool)
    gallery[first[counts > 1]] = True
    return gallery, ~gallery
