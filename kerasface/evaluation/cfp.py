"""Celebrities in Frontal-Profile (CFP): frontal against frontal (FF), frontal against profile (FP)."""

from pathlib import Path, PurePosixPath

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.crops import crops_folder, present, read_lines
from kerasface.evaluation.pairs import Pairs, PairSet

__all__ = ["read_cfp"]

_LISTS = {"FF": ("Pair_list_F.txt", "Pair_list_F.txt"), "FP": ("Pair_list_F.txt", "Pair_list_P.txt")}
_INDEX_AND_PATH = 2


def read_cfp(root: str | Path, protocol: str) -> PairSet:
    """Reads CFP's official protocol: 10 folds of 350 genuine and 350 impostor pairs, people disjoint between folds.

    `Protocol/Split/FF` or `FP` holds the folds 01 … 10, each with `same.txt` and `diff.txt`, lines `i,j`; `i` counts in
    `Protocol/Pair_list_F.txt` (frontal), `j` in it too for FF and in `Pair_list_P.txt` (profile) for FP. Their lines
    are `NUMBER ../Data/Images/001/frontal/01.jpg`.

    Args:
        root: folder with the distribution's `Protocol/` and the crops of `Data/Images` as
            `aligned_112/001/frontal/01.jpg`.
        protocol: "FF" or "FP".

    Returns:
        A `PairSet`; the person is the numbered folder.

    Raises:
        KerasfaceError: a folder, list or crop that is missing, or a line that does not fit, with its number.
        ValueError: another protocol.

    Example:
        >>> report = evaluate_pairs(embed, read_cfp("data/cfp", "FP"))

    Reference:
        Sengupta et al., Frontal to profile face verification in the wild, WACV 2016; the distribution's Readme.txt.
    """
    if protocol not in _LISTS:
        raise ValueError(f"protocol must be 'FF' or 'FP'. Received: protocol={protocol!r}")
    name = f"CFP-{protocol}"
    crops = crops_folder(root, layout="001/frontal/01.jpg", lists="Protocol/", benchmark=name)
    folder = Path(root) / "Protocol"
    lists = [_images(folder / file) for file in _LISTS[protocol]]
    splits = folder / "Split" / protocol
    folds = sorted(path for path in splits.iterdir() if path.is_dir()) if splits.is_dir() else []
    if len(folds) < 2:
        raise KerasfaceError(f"{splits}: expected the folders 01 … 10 with same.txt and diff.txt. Received: {folds}")
    positions: dict[str, int] = {}
    rows: list[tuple[int, int, bool, int]] = []
    for number, fold in enumerate(folds):
        for file, same in (("same.txt", True), ("diff.txt", False)):
            for images in _pairs(fold / file, lists):
                one, other = (positions.setdefault(image, len(positions)) for image in images)
                rows.append((one, other, same, number))
    if not rows:
        raise KerasfaceError(f"{splits}: its same.txt and diff.txt hold no pairs.")
    first, second, genuine, fold_numbers = (np.array(column) for column in zip(*rows, strict=True))
    paths = present(crops, list(positions), listed_in=folder, benchmark=name)
    _, person = np.unique([image.split("/")[0] for image in positions], return_inverse=True)
    people = np.stack([person[first], person[second]], axis=1)
    _check(people, genuine, splits)
    return PairSet(name, paths, Pairs(first, second, genuine, fold_numbers, people))


def _images(path):
    """By number, the crop's path below the crops' folder."""
    images = {}
    for number, line in enumerate(read_lines(path, what="a list of CFP's images"), start=1):
        fields = line.split()
        if len(fields) != _INDEX_AND_PATH or not fields[0].isdecimal():
            raise KerasfaceError(
                f"{path}, line {number}: expected `NUMBER ../Data/Images/001/frontal/01.jpg`. Received: {line[:80]!r}"
            )
        # PERSON/frontal|profile/FILE, wherever the distribution was unpacked.
        images[int(fields[0])] = "/".join(PurePosixPath(fields[1]).parts[-3:])
    return images


def _pairs(path, lists):
    for number, line in enumerate(read_lines(path, what="CFP's pairs, lines `i,j`"), start=1):
        fields = line.split(",")
        try:
            first, second = (images[int(field)] for images, field in zip(lists, fields, strict=True))
        except (ValueError, KeyError) as error:
            raise KerasfaceError(
                f"{path}, line {number}: expected `i,j`, numbers from the lists of images. Received: {line[:80]!r}"
            ) from error
        yield first, second


def _check(people, same, splits):
    wrong = np.flatnonzero((people[:, 0] == people[:, 1]) != same)
    if wrong.size:
        raise KerasfaceError(
            f"{splits}: pair {wrong[0]} is listed as {'genuine' if same[wrong[0]] else 'impostor'}, but its images lie "
            "in the folders of "
            + ("two people" if same[wrong[0]] else "one person")
            + ". Are the lists of images from another release?"
        )
