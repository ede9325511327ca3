"""The heads' mathematics written once more, in NumPy float64 and from the angles: the tests' independent truth."""

import numpy as np


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def cosines(x, prototypes):
    return np.clip(unit(x) @ unit(prototypes).T, -1, 1)


def psi_from_angle(theta, m):
    k = np.minimum(np.floor(m * theta / np.pi), m - 1)
    return (-1.0) ** k * np.cos(m * theta) - 2 * k


def arcface_target(theta, margin, easy=False):
    if easy:
        return np.where(np.cos(theta) > 0, np.cos(theta + margin), np.cos(theta))
    return np.where(theta < np.pi - margin, np.cos(theta + margin), np.cos(theta) - margin * np.sin(margin))


def with_target(values, labels, target):
    values = values.copy()
    values[np.arange(len(labels)), labels] = target
    return values


def logits(kind, x, prototypes, labels, bias=None, scale=None, **margin):
    """(B, C) float64 logits of a head from its formula over angles."""
    if kind == "softmax":
        return x @ prototypes.T + bias
    c = cosines(x, prototypes)
    theta = np.arccos(c[np.arange(len(labels)), labels])
    norms = np.linalg.norm(x, axis=1)
    if kind == "modified_softmax":
        return norms[:, None] * c
    if kind == "a_softmax":
        weight, m = margin["weight"], margin["m"]
        target = (weight * np.cos(theta) + psi_from_angle(theta, m)) / (1 + weight)
        return norms[:, None] * with_target(c, labels, target)
    if kind == "normface":
        return scale * c
    if kind == "cosface":
        return scale * with_target(c, labels, np.cos(theta) - margin["m"])
    return scale * with_target(c, labels, arcface_target(theta, margin["m"], margin.get("easy", False)))


def cross_entropy(values, labels):
    top = values.max(axis=1)
    return np.log(np.exp(values - top[:, None]).sum(axis=1)) + top - values[np.arange(len(labels)), labels]
