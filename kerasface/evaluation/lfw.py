"""Labeled Faces in the Wild, view 2, on a folder of aligned crops."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.crops import crops_folder, present, read_lines
from kerasface.evaluation.pairs import Pairs, PairSet
from kerasface.evaluation.protocol import evaluate_pairs
from kerasface.evaluation.verification import VerificationResult

__all__ = ["evaluate_lfw", "read_lfw", "read_lfw_pairs"]


def read_lfw(root: str | Path) -> PairSet:
    """Reads LFW's protocol "unrestricted, with labelled outside data": 6,000 pairs in 10 folds.

    Args:
        root: folder with `aligned_112/NAME/NAME_0001.jpg` and `pairs.txt`.

    Returns:
        A `PairSet` of the 7,701 distinct images that the pairs name.

    Raises:
        KerasfaceError: no such folder, pair list or image, or a line that does not fit.

    Example:
        >>> report = evaluate_pairs(Embedder.load("face.tflite").embed, read_lfw("data/lfw"), flip="sum")

    Reference:
        Huang et al., Labeled Faces in the Wild, UMass Amherst TR 07-49 (2007); for the protocol's name, Huang and
        Learned-Miller, UMass Amherst TR UM-CS-2014-003 (2014).
    """
    crops = crops_folder(root, layout="NAME/NAME_0001.jpg", lists="pairs.txt", benchmark="LFW")
    listed_in = Path(root) / "pairs.txt"
    images, pairs = read_lfw_pairs(listed_in)
    return PairSet("LFW", present(crops, images, listed_in=listed_in, benchmark="LFW"), pairs)


def evaluate_lfw(
    embed: Callable[[np.ndarray], np.ndarray],
    root: str | Path,
    *,
    flip: str = "none",
    progress: Callable[[int, int], None] | None = None,
) -> VerificationResult:
    """LFW's figures alone: `evaluate_pairs(embed, read_lfw(root), …).result`.

    Args:
        embed, flip, progress: see `evaluate_pairs`.
        root: see `read_lfw`.

    Returns:
        A `VerificationResult`.

    Raises:
        KerasfaceError: see `read_lfw` and `represent`.

    Example:
        >>> evaluate_lfw(Embedder.load("face.tflite").embed, "data/lfw").accuracy_mean
    """
    return evaluate_pairs(embed, read_lfw(root), flip=flip, progress=progress).result


def read_lfw_pairs(path: str | Path) -> tuple[list[str], Pairs]:
    """Reads LFW's `pairs.txt` (view 2: ten folds of 300 genuine and 300 impostor pairs).

    The first line holds the number of folds and of pairs of each kind a fold; then, fold by fold, `NAME n m` lines for
    two images of one person and `NAME n OTHER m` lines for two people.

    Args:
        path: of the text file.

    Returns:
        images, the distinct images as `NAME/NAME_0001.jpg` in order of appearance (7,701 for view 2), and the `Pairs`
        whose indices point into them, in the file's order, folds from 0.

    Raises:
        KerasfaceError: no such file, or a line that does not fit, with its number.

    Example:
        >>> images, pairs = read_lfw_pairs("lfw/pairs.txt")
        >>> len(images), len(pairs)
        (7701, 6000)

    Reference:
        Huang et al., Labeled Faces in the Wild, UMass Amherst TR 07-49 (2007); the README of view 2.
    """
    path = Path(path)
    lines = read_lines(path, what="LFW's pairs.txt of view 2")
    folds, per_kind = _header(path, lines)
    if len(lines) != 1 + 2 * folds * per_kind:
        expected = (
            f"its first line promises {folds} folds of {per_kind} + {per_kind} pairs, {2 * folds * per_kind} lines"
        )
        raise KerasfaceError(f"{path}: {expected} below it. Received: {len(lines) - 1}. Is the file cut short?")
    positions: dict[str, int] = {}
    first: list[int] = []
    second: list[int] = []
    same = np.tile(np.repeat([True, False], per_kind), folds)
    for number, (line, genuine) in enumerate(zip(lines[1:], same, strict=True), start=2):
        for image, column in zip(_images(path, number, line, genuine), (first, second), strict=True):
            column.append(positions.setdefault(image, len(positions)))
    images = list(positions)
    _, person = np.unique([image.split("/")[0] for image in images], return_inverse=True)
    folds_of_pairs = np.repeat(np.arange(folds), 2 * per_kind)
    people = person[np.array([first, second]).T]
    return images, Pairs(np.array(first), np.array(second), same, folds_of_pairs, people)


def _header(path, lines):
    fields = lines[0].split() if lines else []
    if len(fields) == 2 and all(field.isdecimal() and int(field) > 0 for field in fields):
        return int(fields[0]), int(fields[1])
    received = lines[0][:80] if lines else "an empty file"
    raise KerasfaceError(
        f"{path}, line 1: expected the number of folds and of pairs of each kind a fold, as in view 2's `10 300` "
        f"(pairsDevTrain.txt and pairsDevTest.txt are view 1, without folds). Received: {received!r}"
    )


def _images(path, number, line, genuine):
    """The two images that line `number` names."""
    fields = line.split()
    if len(fields) != (3 if genuine else 4):
        form = "`NAME n m`, two images of one person" if genuine else "`NAME n OTHER m`, images of two people"
        raise KerasfaceError(f"{path}, line {number}: expected {form}. Received: {line[:80]!r}")
    name, index, other, other_index = (fields[0], fields[1], fields[0], fields[2]) if genuine else fields
    if not (index.isdecimal() and other_index.isdecimal()):
        raise KerasfaceError(f"{path}, line {number}: expected image numbers from 1. Received: {line[:80]!r}")
    if (name == other) != genuine or (name, int(index)) == (other, int(other_index)):
        wrong = "an image paired with itself" if genuine else "an impostor pair of one person"
        raise KerasfaceError(f"{path}, line {number}: {wrong}. Received: {line[:80]!r}")
    return f"{name}/{name}_{int(index):04d}.jpg", f"{other}/{other}_{int(other_index):04d}.jpg"
