"""The losses once more, by loops over all pairs and triplets in float64: the tests' independent truth."""

import numpy as np


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def partners(labels, i):
    """Indices of the other photos of i's person, and of other people's."""
    others = [j for j in range(len(labels)) if j != i]
    return [j for j in others if labels[j] == labels[i]], [j for j in others if labels[j] != labels[i]]


def contrastive(x, labels, margin=1.0):
    x, losses = unit(x), []
    for i in range(len(labels)):
        same, different = partners(labels, i)
        pull = [np.sum((x[i] - x[j]) ** 2) / 2 for j in same]
        push = [max(0.0, margin - np.linalg.norm(x[i] - x[j])) ** 2 / 2 for j in different]
        losses.append((np.mean(pull) if pull else 0.0) + (np.mean(push) if push else 0.0))
    return np.array(losses)


def triplet(x, labels, margin=0.2, mining="semi_hard", angular=False):
    x, losses = unit(x), []

    def distance(i, j):
        return np.arccos(np.clip(x[i] @ x[j], -1, 1)) if angular else np.sum((x[i] - x[j]) ** 2)

    for a in range(len(labels)):
        near = [distance(a, p) for p in partners(labels, a)[0]]
        far = [distance(a, n) for n in partners(labels, a)[1]]
        if not near or not far:
            losses.append(0.0)
        elif mining == "batch_hard":
            losses.append(max(0.0, max(near) - min(far) + margin))
        else:
            chosen = [min((n for n in far if n > p), default=max(far)) for p in near]
            losses.append(np.mean([max(0.0, p - n + margin) for p, n in zip(near, chosen, strict=True)]))
    return np.array(losses)


def centers_after(centers, x, labels, alpha):
    moved = centers.copy()
    for j in range(len(centers)):
        members = [i for i in range(len(labels)) if labels[i] == j]
        moved[j] -= alpha * sum((centers[j] - x[i] for i in members), np.zeros(x.shape[1])) / (1 + len(members))
    return moved
