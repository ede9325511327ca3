"""How tightly classes lie on the sphere, and how far apart: plain NumPy, from features and labels alone."""

import dataclasses

import numpy as np

__all__ = [
    "Spread",
    "angular_fisher_score",
    "angular_spread",
    "extreme_angles",
    "keeps_margin",
    "without_outliers",
]

# As in `heads.geometry.unit_rows`: what is shorter has no direction and counts as orthogonal to everything.
_SHORTEST = 1e-6


@dataclasses.dataclass(frozen=True)
class Spread:
    """Angular spread of classes, in degrees.

    Args:
        within_degrees: angle between a sample and its class's mean direction, the mean over a class's samples, then
            over the classes.
        nearest_degrees: angle from a class's mean direction to the nearest other's, the mean over the classes.
        between_degrees: angle between two classes' mean directions, the mean over all pairs.
    """

    within_degrees: float
    nearest_degrees: float
    between_degrees: float


def angular_spread(features, labels) -> Spread:
    """Measures the spread within classes and between them.

    Args:
        features: (N, D) float, any norm.
        labels: (N,) int; at least two classes. A class's mean direction is that of the sum of its unit features.

    Returns:
        `Spread`.

    Raises:
        ValueError: fewer than two classes, or shapes that don't fit.

    Example:
        >>> angular_spread(model.predict(images), labels).within_degrees

    Reference:
        The angles that Liu et al., SphereFace, CVPR 2017, figure 2, and Wang et al., CosFace, CVPR 2018, figure 5 show.
    """
    unit, labels, classes = _checked(features, labels)
    means = np.stack([_unit(unit[labels == label].sum(axis=0)) for label in classes])
    within = [_degrees(unit[labels == label] @ mean).mean() for label, mean in zip(classes, means, strict=True)]
    angles = _degrees(means @ means.T)
    apart = ~np.eye(len(classes), dtype=bool)
    nearest = np.where(apart, angles, np.inf).min(axis=1)
    return Spread(float(np.mean(within)), float(nearest.mean()), float(angles[apart].mean()))


def extreme_angles(features, labels):
    """The largest angle between two samples of one class, and the smallest between samples of two classes.

    SphereFace wants the first to be smaller than the second: then one threshold tells any two faces apart.

    Args:
        features, labels: see `angular_spread`; all pairs are looked at.

    Returns:
        `(largest_intra_degrees, smallest_inter_degrees)`.

    Example:
        >>> intra, inter = extreme_angles(features, labels)

    Reference:
        Liu et al., SphereFace, CVPR 2017, section 3.4.
    """
    unit, labels, classes = _checked(features, labels)
    lowest_intra, highest_inter = 1.0, -1.0
    for label in classes:
        cosines = unit[labels == label] @ unit.T
        lowest_intra = min(lowest_intra, cosines[:, labels == label].min())
        highest_inter = max(highest_inter, cosines[:, labels != label].max())
    return float(_degrees(lowest_intra)), float(_degrees(highest_inter))


def without_outliers(features, labels, share=0.05):
    """Marks all samples but the ones that lie furthest from their class's mean direction.

    A single digit that looks like another makes the largest angle 180° and the smallest 0°: the extremes of all samples
    say little, those of 95 % a lot.

    Args:
        features, labels: see `angular_spread`.
        share: of each class's samples to leave out.

    Returns:
        (N,) bool, True for the ones kept.

    Example:
        >>> features[without_outliers(features, labels)]
    """
    unit, labels, classes = _checked(features, labels)
    kept = np.ones(len(labels), bool)
    for label in classes:
        rows = np.flatnonzero(labels == label)
        cosines = unit[rows] @ _unit(unit[rows].sum(axis=0))
        kept[rows[np.argsort(cosines)[: int(share * len(rows))]]] = False
    return kept


def keeps_margin(features, labels, prototypes, margin):
    """Marks the samples that meet A-Softmax's margin: `margin · θ_y < θ_j` for every other class j.

    Args:
        features: (N, D).
        labels: (N,) int in [0, C).
        prototypes: (C, D), any norm.
        margin: m.

    Returns:
        (N,) bool.

    Example:
        >>> keeps_margin(run.train_features, digits.train_labels, run.prototypes, margin=4).mean()

    Reference:
        Liu et al., SphereFace, CVPR 2017, section 3.3.
    """
    angles = _degrees(_unit(np.asarray(features, np.float64)) @ _unit(np.asarray(prototypes, np.float64)).T)
    rows = np.arange(len(labels))
    target = angles[rows, labels]
    angles[rows, labels] = np.inf
    return margin * target < angles.min(axis=1)


def angular_fisher_score(features, labels):
    """Scatter within classes over scatter between them, by cosine; lower is more discriminative.

    S_w / S_b with S_w = Σ_i Σ_{x ∈ X_i} (1 − cos⟨x, m_i⟩) and S_b = Σ_i n_i (1 − cos⟨m_i, m⟩); m_i is the mean of the
    n_i features of class i, m the mean of all.

    Args:
        features, labels: see `angular_spread`; the means are of the features as they are, not of unit ones.

    Returns:
        Float ≥ 0.

    Example:
        >>> angular_fisher_score(run.test_features, digits.test_labels)

    Reference:
        Liu et al., SphereFace, CVPR 2017, appendix E, eq. 11.
    """
    unit, labels, classes = _checked(features, labels)
    features = np.asarray(features, np.float64)
    center = _unit(features.mean(axis=0))
    within = between = 0.0
    for label in classes:
        rows = labels == label
        mean = _unit(features[rows].mean(axis=0))
        within += (1.0 - unit[rows] @ mean).sum()
        between += rows.sum() * (1.0 - mean @ center)
    return float(within / between)


def _checked(features, labels):
    features, labels = np.asarray(features, np.float64), np.asarray(labels)
    classes = np.unique(labels)
    if features.ndim != 2 or labels.shape != features.shape[:1] or len(classes) < 2:
        raise ValueError(
            "features must be (N, D) and labels (N,) with two classes or more. "
            f"Received: {features.shape}, {labels.shape}, {len(classes)} classes"
        )
    return _unit(features), labels, classes


def _unit(x):
    lengths = np.linalg.norm(x, axis=-1, keepdims=True)
    return np.where(lengths > _SHORTEST, x / np.maximum(lengths, _SHORTEST), 0.0)


def _degrees(cosines):
    return np.degrees(np.arccos(np.clip(cosines, -1.0, 1.0)))
