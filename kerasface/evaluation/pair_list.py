"""Pairs of one's own: a CSV list, or images with the answers (AgeDB-30, CALFW, CPLFW as `.bin`)."""

import csv
import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.crops import present
from kerasface.evaluation.pairs import Pairs, PairSet, linked_people

__all__ = ["packed_pairs", "read_pair_list"]

_FOLDS = 10
_NEEDED = ("first", "second", "same")
_PEOPLE = ("first_person", "second_person")


def read_pair_list(path: str | Path, root: str | Path | None = None) -> PairSet:
    """Reads a CSV file of pairs with a line of headings.

    Columns `first`, `second` (paths of aligned crops) and `same` (1 or 0) are needed; `fold` (int), `first_person` and
    `second_person` (names) are understood; every other column is an attribute, its entries the groups that accuracy is
    given by. Without folds, each kind of pair is cut into ten parts in the file's order. Without people, images that
    chains of genuine pairs link count as one person (`linked_people`).

    Args:
        path: of the CSV file, UTF-8.
        root: folder that the crops' paths are relative to; the file's own by default.

    Returns:
        A `PairSet` named after the file.

    Raises:
        KerasfaceError: no such file or crop, a missing column, or a line that does not fit, with its number.

    Example:
        >>> report = evaluate_pairs(embed, read_pair_list("our_pairs.csv"))
        >>> [(group.group, group.fnmr) for group in report.groups]
    """
    path = Path(path)
    try:
        with open(path, encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            # Lines as an editor counts them: the reader passes over blank ones.
            lines, numbers = [], []
            for line in reader:
                lines.append(line)
                numbers.append(reader.line_num)
            columns = reader.fieldnames or []
    except FileNotFoundError as error:
        raise KerasfaceError(f"no pair list at {path}: expected a CSV file with first, second and same.") from error
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise KerasfaceError(f"{path} cannot be read as CSV: {error}") from error
    missing = [column for column in _NEEDED if column not in columns]
    if missing or not lines:
        received = ", ".join(columns) or "an empty file"
        raise KerasfaceError(
            f"{path}: expected a line of headings with first, second and same, and pairs below it. Received: {received}"
        )
    repeated = [column for column in columns if columns.count(column) > 1]
    if repeated:
        raise KerasfaceError(f"{path}: expected different headings. Received: {repeated[0]!r} more than once")
    for number, line in zip(numbers, lines, strict=True):
        if line["same"] not in ("0", "1") or not line["first"] or not line["second"] or None in line:
            raise KerasfaceError(f"{path}, line {number}: expected two paths and same as 1 or 0. Received: {line}")
    positions: dict[str, int] = {}
    first, second = (
        np.array([positions.setdefault(line[column], len(positions)) for line in lines])
        for column in ("first", "second")
    )
    same = np.array([line["same"] == "1" for line in lines])
    pairs = Pairs(
        first,
        second,
        same,
        folds=_folds(path, lines, numbers, same),
        people=_people(path, lines, numbers, first, second, same),
    )
    if same.all() or not same.any():
        raise KerasfaceError(
            f"{path}: both kinds of pairs are needed, same 1 and 0. Received: {same.sum()} of one person in {same.size}"
        )
    attributes = [column for column in columns if column not in (*_NEEDED, *_PEOPLE, "fold")]
    groups = {column: np.array([line[column] or "" for line in lines]) for column in attributes}
    paths = present(root or path.parent, list(positions), listed_in=path, benchmark=path.name)
    return PairSet(path.stem, paths, pairs, groups=groups)


def packed_pairs(images: np.ndarray | Sequence, same, *, name: str) -> PairSet:
    """A set from images that stand in pairs one after the other, as insightface's `.bin` files hold them.

    Folds are ten contiguous parts, as the published scripts cut them. Byte-equal images count as one image, so that
    people are linked as far as the pairs tell (`linked_people`).

    Args:
        images: (2P, H, W, 3) uint8 RGB, or 2P files or encoded images with `read_bytes()`, as
            `data.read_verification_bin` gives them; 2i and 2i + 1 are the i-th pair.
        same: (P,) bool.
        name: of the set, "AgeDB-30".

    Returns:
        A `PairSet`.

    Raises:
        ValueError: shapes or types that do not fit, fewer pairs than folds, or pairs of one kind alone.

    Example:
        >>> report = evaluate_pairs(embed, packed_pairs(*read_verification_bin("agedb_30.bin"), name="AgeDB-30"))

    Reference:
        Moschoglou et al., AgeDB, CVPRW 2017; Zheng et al., Cross-Age LFW, 2017; Zheng and Deng, Cross-Pose LFW, 2018.
    """
    same = np.asarray(same)
    if len(images) != 2 * same.size or same.dtype != np.bool_ or same.size < _FOLDS:
        received = f"{len(images)} images and {same.shape} {same.dtype}"
        raise ValueError(f"2P images and same (P,) bool are needed, P >= {_FOLDS}. Received: {received}")
    if same.all() or not same.any():
        raise ValueError(f"both genuine and impostor pairs are needed. Received: {same.sum()} genuine of {same.size}")
    positions: dict[bytes, int] = {}
    rows, kept = [], []
    for row, image in enumerate(images):
        content = image.tobytes() if isinstance(image, np.ndarray) else image.read_bytes()
        digest = hashlib.sha256(content).digest()
        if digest not in positions:
            positions[digest] = len(positions)
            kept.append(row)
        rows.append(positions[digest])
    first, second = np.array(rows[0::2]), np.array(rows[1::2])
    folds = np.repeat(np.arange(_FOLDS), [len(part) for part in np.array_split(same, _FOLDS)])
    distinct = images[kept] if isinstance(images, np.ndarray) else [images[row] for row in kept]
    return PairSet(name, distinct, Pairs(first, second, same, folds, linked_people(first, second, same)))


def _folds(path, lines, numbers, same):
    given = [line.get("fold") for line in lines]
    if all(entry is None for entry in given):
        folds = np.empty(len(same), np.int64)
        for kind in (True, False):
            rows = np.flatnonzero(same == kind)
            folds[rows] = np.arange(rows.size) * _FOLDS // max(rows.size, 1)
        return folds
    for number, entry in zip(numbers, given, strict=True):
        if not (entry or "").isdecimal():
            raise KerasfaceError(f"{path}, line {number}: expected a fold number. Received: {entry!r}")
    return np.array([int(entry) for entry in given])


def _people(path, lines, numbers, first, second, same):
    if any(column not in lines[0] for column in _PEOPLE):
        return linked_people(first, second, same)
    names = np.array([[line[column] or "" for column in _PEOPLE] for line in lines])
    wrong = np.flatnonzero((names == "").any(axis=1) | ((names[:, 0] == names[:, 1]) != same))
    if wrong.size:
        raise KerasfaceError(
            f"{path}, line {numbers[wrong[0]]}: expected two people's names, equal exactly where same is 1. Received: "
            f"{names[wrong[0]].tolist()} and same {int(same[wrong[0]])}"
        )
    return np.unique(names, return_inverse=True)[1].reshape(names.shape)
