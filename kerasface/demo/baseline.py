"""What a linear classifier on pixels reaches: the bar that a trained embedder has to clear."""

from dataclasses import asdict, dataclass

import numpy as np
from PIL import Image
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.metrics import roc_auc_score

__all__ = ["PixelBaselines", "pixel_baselines"]


@dataclass(frozen=True)
class PixelBaselines:
    """Verification on unseen identities by linear functions of pixels."""

    cosine_accuracy: float
    """Of the cosine of mean-subtracted pixels."""
    cosine_auc: float
    lda_accuracy: float
    """Of the cosine after the best linear embedding: PCA, then LDA with whitened classes."""
    lda_auc: float
    lda_dimensions: int
    num_pairs: int

    def to_json(self):
        """Returns a dict of plain numbers."""
        return asdict(self)


def pixel_baselines(
    train_images: np.ndarray,
    train_labels: np.ndarray,
    test_images: np.ndarray,
    test_labels: np.ndarray,
    *,
    num_pairs: int = 4000,
    side: int = 28,
    components: int = 200,
    seed: int = 0,
) -> PixelBaselines:
    """Measures verification by pixels alone on identities that no training picture shows.

    Two scores of a pair are compared with a threshold: the cosine of the pixels after subtracting the training set's
    mean picture, and the cosine in the space of `PCA → LDA` learnt on the training identities, which among linear
    embeddings is the one that separates them best under equal Gaussian classes. Thresholds are chosen on one half of
    the pairs and counted on the other, both ways.

    Args:
        train_images, test_images: uint8 (N, S, S, 3); reduced to `side` by area averaging, in which both do better
            than in full size.
        train_labels, test_labels: int (N,). The identities must differ; the labels' values may coincide.
        num_pairs: half of the same person, half of two.
        side: pixels.
        components: kept by the PCA, and thus the most that LDA has.
        seed: of the pairs and of the PCA.

    Returns:
        The accuracies and areas under the ROC curve.

    Raises:
        ValueError: images and labels of different lengths, fewer than two identities, or none with two pictures.

    Example:
        >>> pixel_baselines(images[labels < 200], labels[labels < 200], images[labels >= 200], labels[labels >= 200])

    Reference:
        Turk and Pentland, Eigenfaces, 1991; Belhumeur et al., Eigenfaces vs. Fisherfaces, TPAMI 1997.
    """
    train_labels, test_labels = np.asarray(train_labels), np.asarray(test_labels)
    for name, images, labels in (("train", train_images, train_labels), ("test", test_images, test_labels)):
        if len(images) != len(labels):
            raise ValueError(
                f"{name}_images and {name}_labels must be equally long. Received: {len(images)} and {len(labels)}"
            )
        counts = np.unique(labels, return_counts=True)[1]
        if len(counts) < 2 or counts.max() < 2:
            raise ValueError(
                f"{name}_labels must name at least two identities, one of them twice. "
                f"Received: {len(counts)} identities in {len(labels)} pictures"
            )
    first, second, same = _pairs(test_labels, num_pairs, np.random.default_rng(seed))
    train, test = _vectors(train_images, side), _vectors(test_images, side)
    mean = train.mean(axis=0)
    components = min(components, len(train) - len(np.unique(train_labels)), train.shape[1])
    pca = PCA(components, random_state=seed).fit(train)
    lda = LinearDiscriminantAnalysis(solver="eigen", shrinkage=1e-4).fit(pca.transform(train), train_labels)
    embedded = lda.transform(pca.transform(test))

    cosine_scores, lda_scores = _cosine(test - mean, first, second), _cosine(embedded, first, second)
    return PixelBaselines(
        cosine_accuracy=_accuracy(cosine_scores, same),
        cosine_auc=float(roc_auc_score(same, cosine_scores)),
        lda_accuracy=_accuracy(lda_scores, same),
        lda_auc=float(roc_auc_score(same, lda_scores)),
        lda_dimensions=embedded.shape[1],
        num_pairs=len(same),
    )


def _vectors(images, side):
    small = [Image.fromarray(image).resize((side, side), Image.Resampling.BOX) for image in images]
    return np.stack([np.asarray(image, np.float32).ravel() for image in small]) / 255


def _pairs(labels, num_pairs, rng):
    names, inverse, counts = np.unique(labels, return_inverse=True, return_counts=True)
    order = np.argsort(inverse, kind="stable")
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    half = num_pairs // 2
    several = np.flatnonzero(counts > 1)
    person = rng.choice(several, half)
    one = rng.integers(0, counts[person])
    other = (one + rng.integers(1, counts[person])) % counts[person]
    left, right = rng.integers(0, len(names), half), rng.integers(1, len(names), half)
    right = (left + right) % len(names)
    first = np.concatenate([order[starts[person] + one], order[starts[left] + rng.integers(0, counts[left])]])
    second = np.concatenate([order[starts[person] + other], order[starts[right] + rng.integers(0, counts[right])]])
    return first, second, np.arange(2 * half) < half


def _cosine(vectors, first, second):
    unit = vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return np.sum(unit[first] * unit[second], axis=1)


def _accuracy(scores, same):
    folds = np.arange(len(scores)) % 2
    hits = 0
    for fold in (0, 1):
        candidates = np.sort(scores[folds != fold])
        genuine = np.sort(scores[(folds != fold) & same])
        impostor = np.sort(scores[(folds != fold) & ~same])
        right = len(genuine) - np.searchsorted(genuine, candidates) + np.searchsorted(impostor, candidates)
        threshold = candidates[np.argmax(right)]
        hits += np.sum((scores[folds == fold] >= threshold) == same[folds == fold])
    return float(hits / len(scores))
