"""The heads' mathematics written once more, in NumPy float64 and from the angles: the tests' independent truth."""

import numpy as np


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def cosines(x, prototypes):
    return np.clip(unit(x) @ unit(prototypes).T, -1, 1)


def psi_from_angle(theta, m):
    k = np.minimum(np.floor(m * theta / np.pi), m - 1)
    return (-1.0) ** k * np.cos(m * theta) - 2 * k


def falling_cos(angle):
    k = np.floor(angle / np.pi)
    return (-1.0) ** k * np.cos(angle) - 2 * k


def arcface_target(theta, margin, easy=False):
    if easy:
        return np.where(np.cos(theta) > 0, np.cos(theta + margin), np.cos(theta))
    return np.where(theta < np.pi - margin, np.cos(theta + margin), np.cos(theta) - margin * np.sin(margin))


def adaface_target(theta, norms, mean, deviation, margin=0.4, h=0.333):
    z = np.clip((np.clip(norms, 1e-3, 100) - mean) / (deviation + 1e-3) * h, -1, 1)
    return np.cos(np.clip(theta - margin * z, 1e-3, np.pi - 1e-3)) - margin * (1 + z)


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
    if kind == "l_softmax":
        lengths = np.linalg.norm(prototypes, axis=1)
        target = psi_from_angle(theta, margin["m"])
        return norms[:, None] * lengths * with_target(c, labels, target)
    if kind == "sphereface":
        return scale * with_target(c, labels, falling_cos(margin["m"] * theta))
    if kind == "sphereface_r":
        if margin["version"] == 1:
            return scale * with_target(c, labels, np.cos(np.minimum(margin["m"] * theta, np.pi)))
        return scale * with_target(np.cos(np.arccos(c) / margin["m"]), labels, np.cos(theta))
    if kind == "sphereface2":
        g = 2 * ((c + 1) / 2) ** margin["t"] - 1
        own = g[np.arange(len(labels)), labels]
        return scale * with_target(g + margin["m"], labels, own - margin["m"]) + margin["b"]
    if kind == "combined_margin":
        m1, m2, m3 = margin["m"]
        return scale * with_target(c, labels, falling_cos(m1 * theta + m2) - m3)
    if kind == "mv_softmax":
        if margin["am"]:
            target = np.where(np.cos(theta) > margin["m"], np.cos(theta) - margin["m"], np.cos(theta))
        else:
            target = arcface_target(theta, margin["m"], easy=True)
        hard = c > target[:, None]
        return scale * with_target(np.where(hard, margin["t"] * c + margin["t"] - 1, c), labels, target)
    if kind == "normface":
        return (np.sqrt(2) * np.log(len(prototypes) - 1) if scale == "adacos" else scale) * c
    if kind == "curricularface":
        hard = c > np.cos(theta + margin["m"])[:, None]
        return scale * with_target(np.where(hard, c * (margin["t"] + c), c), labels, arcface_target(theta, margin["m"]))
    if kind == "magface":
        own_margin = 0.45 + 0.35 * (np.clip(norms, 10, 110) - 10) / 100
        return scale * with_target(c, labels, arcface_target(theta, own_margin, margin.get("easy", True)))
    if kind == "adaface":
        return scale * with_target(c, labels, adaface_target(theta, norms, margin["mean"], margin["deviation"]))
    if kind == "cosface":
        return scale * with_target(c, labels, np.cos(theta) - margin["m"])
    return scale * with_target(c, labels, arcface_target(theta, margin["m"], margin.get("easy", False)))


def cross_entropy(values, labels):
    top = values.max(axis=1)
    return np.log(np.exp(values - top[:, None]).sum(axis=1)) + top - values[np.arange(len(labels)), labels]


def losses(values, labels, kind, **margin):
    """(B,) losses from the logits of a head without a penalty."""
    if kind != "sphereface2":
        return cross_entropy(values, labels)
    share = margin["balance"]
    negative = with_target((1 - share) * np.logaddexp(0, values), labels, np.zeros(len(labels)))
    own = values[np.arange(len(labels)), labels]
    return (share * np.logaddexp(0, -own) + negative.sum(axis=1)) / margin["scale"]
