"""Handwritten digits: MNIST from a file, or the ones that scikit-learn carries."""

import dataclasses
import zipfile
from pathlib import Path

import numpy as np

from kerasface.errors import KerasfaceError

__all__ = ["Digits", "load_digits"]

_SHUFFLE_SEED = 0  # one split for all seeds of training: they shall differ in the training alone
_SKLEARN_TEST_SHARE = 0.2


@dataclasses.dataclass(frozen=True, eq=False)
class Digits:
    """Images of digits, split into training and test.

    Args:
        source: where they come from, for captions.
        names: C names of the classes: the digits that the source holds, such as ("0", "1", "2").
        train_images: (N, 28, 28, 1) uint8, white on black.
        train_labels: (N,) int32 in [0, C).
        test_images: (M, 28, 28, 1) uint8.
        test_labels: (M,) int32 in [0, C).
    """

    source: str
    names: tuple[str, ...]
    train_images: np.ndarray
    train_labels: np.ndarray
    test_images: np.ndarray
    test_labels: np.ndarray

    def only(self, classes):
        """Returns the digits of these classes alone; labels count anew from 0 in the order given."""
        parts = {}
        for part in ("train", "test"):
            images, labels = getattr(self, f"{part}_images"), getattr(self, f"{part}_labels")
            rows = np.isin(labels, classes)
            renumbered = np.argmax(labels[rows][:, None] == np.asarray(classes), axis=1).astype("int32")
            parts |= {f"{part}_images": images[rows], f"{part}_labels": renumbered}
        return dataclasses.replace(self, names=tuple(self.names[label] for label in classes), **parts)

    def long_tailed(self, ratio):
        """Returns a training set whose class sizes fall geometrically, the first `ratio` times the last's.

        The test set stays as it is. The first class keeps as many images as the smallest class has.
        """
        sizes = np.bincount(self.train_labels)
        wanted = np.round(sizes.min() * ratio ** -np.linspace(0, 1, len(sizes))).astype(int)
        rows = [np.flatnonzero(self.train_labels == label)[:size] for label, size in enumerate(wanted)]
        kept = np.sort(np.concatenate(rows))
        return dataclasses.replace(self, train_images=self.train_images[kept], train_labels=self.train_labels[kept])


def load_digits(path=None, *, train=6000, test=2000) -> Digits:
    """Loads MNIST from a file, or scikit-learn's digits where there is none.

    Args:
        path: `mnist.npz` with x_train, y_train, x_test and y_test (Keras' layout). None: scikit-learn's 1,797 digits,
            8×8 pixels, each pixel repeated 3×3 and padded to 28×28; a fifth of them is the test set.
        train, test: how many images at most; they are drawn evenly at random, always the same.

    Returns:
        `Digits`. It has as many classes as digits occur.

    Raises:
        KerasfaceError: `path` can't be read or holds something else.

    Example:
        >>> load_digits("mnist.npz").train_images.shape
        (6000, 28, 28, 1)

    Reference:
        LeCun et al., Gradient-based learning applied to document recognition, 1998; scikit-learn's `load_digits`.
    """
    source, images = ("scikit-learn's digits", _sklearn()) if path is None else ("MNIST", _mnist(path))
    (train_images, train_labels), (test_images, test_labels) = images
    names = np.unique(train_labels)
    digits = Digits(
        source,
        tuple(str(name) for name in names),
        train_images,
        np.searchsorted(names, train_labels).astype("int32"),
        test_images,
        np.searchsorted(names, test_labels).astype("int32"),
    )
    return _drawn(digits, train, test)


def _sklearn():
    from sklearn.datasets import load_digits as load

    digits = load()
    images = np.round(digits.images / 16 * 255).astype(np.uint8)
    images = np.pad(np.kron(images, np.ones((1, 3, 3), np.uint8)), ((0, 0), (2, 2), (2, 2)))[..., None]
    order = np.random.default_rng(_SHUFFLE_SEED).permutation(len(images))
    test, train = np.split(order, [round(len(order) * _SKLEARN_TEST_SHARE)])
    return (images[train], digits.target[train]), (images[test], digits.target[test])


def _mnist(path):
    try:
        with np.load(Path(path)) as file:
            parts = [(file[f"x_{part}"][..., None], file[f"y_{part}"]) for part in ("train", "test")]
    except (OSError, KeyError, ValueError, zipfile.BadZipFile) as error:
        raise KerasfaceError(
            f"MNIST is read from a file like Keras' mnist.npz (x_train, y_train, x_test, y_test). Received: {path} "
            f"({error})"
        ) from error
    return parts


def _drawn(digits, train, test):
    """At random because files may be sorted by class."""
    generator = np.random.default_rng(_SHUFFLE_SEED)
    parts = {}
    for part, count in (("train", train), ("test", test)):
        images, labels = getattr(digits, f"{part}_images"), getattr(digits, f"{part}_labels")
        rows = generator.permutation(len(labels))[:count]
        parts |= {f"{part}_images": images[rows], f"{part}_labels": labels[rows]}
    return dataclasses.replace(digits, **parts)
