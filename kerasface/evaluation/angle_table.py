"""Angles within and between people, and how the head's prototypes and the sphere are used: ArcFace's table."""

import dataclasses

import numpy as np

from kerasface.evaluation.pooling import EmptyTemplateError, pool
from kerasface.evaluation.representation import unit
from kerasface.evaluation.result import Result

__all__ = ["ClassAngles", "class_angles"]

# Cosines at once, 64 MiB of float32: 85,742 prototypes have 7 billion.
_BLOCK_SCORES = 2**24
_TEMPERATURE = 2.0


@dataclasses.dataclass(frozen=True)
class ClassAngles(Result):
    """What `class_angles` measured; angles in degrees.

    Args:
        intra: mean angle between an embedding and its person's centre (the paper's Intra1 on training data, Intra2 on a
            test set), over people with two images or more: a single image is its own centre.
        intra_std: over those embeddings.
        inter: mean over people of the smallest angle between their centre and another one (Inter1, Inter2).
        prototype_to_centre: mean angle between a class's prototype and the centre of its embeddings (W-EC); None
            without prototypes.
        between_prototypes: mean over prototypes of the smallest angle to another one (W-Inter); None without.
        effective_dimensions: `(Σ λ)² / Σ λ²` of the eigenvalues of the second moments of the unit centres: D when they
            fill all directions evenly, 1 when they lie on a line.
        uniformity: `log mean exp(-2 ‖u - v‖²)` over all pairs of centres; lower is more even.
        uniformity_ideal: the same for the uniform distribution on the sphere of that dimension.
        mean_resultant_length: length of the mean of the unit centres, in [0, 1]; 0 when they balance.
        people, images, dimension: how many, and D.
    """

    intra: float | None
    intra_std: float | None
    inter: float
    prototype_to_centre: float | None
    between_prototypes: float | None
    effective_dimensions: float
    uniformity: float
    uniformity_ideal: float
    mean_resultant_length: float
    people: int
    images: int
    dimension: int


def class_angles(embeddings, labels, prototypes=None) -> ClassAngles:
    """Measures how tightly people's embeddings lie, how far apart, and how much of the sphere they use.

    A centre is the mean of a person's unit embeddings, scaled to length 1. On the training set with the head's
    prototypes this is the left half of ArcFace's table 3, on a test set without them the right half.

    Args:
        embeddings: (N, D) float, any norm but zero.
        labels: (N,) int; with prototypes, the rows of these, in [0, C).
        prototypes: (C, D) float, the head's, or None.

    Returns:
        A `ClassAngles`. W-EC is over the classes that have embeddings, W-Inter over all prototypes.

    Raises:
        ValueError: shapes that do not fit, fewer than two people, a label without a prototype, embeddings of a person
            that cancel out, or a row without a direction.

    Example:
        >>> class_angles(embeddings, labels, np.asarray(model.head.prototypes)).prototype_to_centre

    Reference:
        Deng et al., ArcFace, CVPR 2019, table 3; Wang and Isola, Understanding contrastive representation learning
        through alignment and uniformity on the hypersphere, ICML 2020, for uniformity with t = 2.
    """
    embeddings, labels = unit(embeddings), np.asarray(labels)
    if labels.shape != (len(embeddings),) or not np.issubdtype(labels.dtype, np.integer):
        raise ValueError(f"labels must be ({len(embeddings)},) int. Received: {labels.shape} {labels.dtype}")
    people, rows, counts = np.unique(labels, return_inverse=True, return_counts=True)
    if people.size < 2:
        raise ValueError(f"angles between people need two of them. Received: {people.size}")
    try:
        centres = pool(embeddings, rows)
    except EmptyTemplateError as error:
        label = people[error.template]
        raise ValueError(f"the embeddings of a person cancel out. Received: label {label}") from error
    several = counts[rows] > 1
    intra = _degrees(np.einsum("nd,nd->n", embeddings, centres[rows])[several])
    to_centre = between = None
    if prototypes is not None:
        prototypes = unit(prototypes)
        if prototypes.shape[1] != embeddings.shape[1] or people[0] < 0 or people[-1] >= len(prototypes):
            received = f"{prototypes.shape}, {embeddings.shape} and labels {people[0]} to {people[-1]}"
            raise ValueError(f"prototypes (C, D) for labels in [0, C) are needed. Received: {received}")
        to_centre = float(_degrees(np.einsum("cd,cd->c", prototypes[people], centres)).mean())
        between = _nearest(prototypes)[0]
    inter, mean_exponential = _nearest(centres)
    spectrum = np.linalg.eigvalsh(centres.T.astype(np.float64) @ centres)
    return ClassAngles(
        intra=float(intra.mean()) if intra.size else None,
        intra_std=float(intra.std()) if intra.size else None,
        inter=inter,
        prototype_to_centre=to_centre,
        between_prototypes=between,
        effective_dimensions=float(spectrum.sum() ** 2 / np.square(spectrum).sum()),
        uniformity=float(np.log(mean_exponential)),
        uniformity_ideal=_ideal(embeddings.shape[1]),
        mean_resultant_length=float(np.linalg.norm(centres.mean(axis=0, dtype=np.float64))),
        people=int(people.size),
        images=len(embeddings),
        dimension=embeddings.shape[1],
    )


def _degrees(cosines):
    return np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))


def _nearest(rows):
    """Mean over rows of the angle to the nearest other one, and the mean of exp(-t ‖u - v‖²) over pairs."""
    height = max(1, _BLOCK_SCORES // len(rows))
    highest, total = np.empty(len(rows)), 0.0
    for start in range(0, len(rows), height):
        cosines = rows[start : start + height] @ rows.T
        own = np.arange(len(cosines))
        cosines[own, start + own] = -np.inf
        highest[start : start + height] = cosines.max(axis=1)
        total += np.exp(2 * _TEMPERATURE * (cosines - 1), dtype=np.float32).sum(dtype=np.float64)
    return float(_degrees(highest).mean()), total / (len(rows) * (len(rows) - 1))


def _ideal(dimension):
    """log of e^(-2t) 0F1(; D/2; t²), the mean over the sphere of exp(-t ‖u - v‖²) = exp(-2t) exp(2t cos θ)."""
    term = series = 1.0
    for k in range(60):
        term *= _TEMPERATURE**2 / ((dimension / 2 + k) * (k + 1))
        series += term
    return float(np.log(series) - 2 * _TEMPERATURE)
