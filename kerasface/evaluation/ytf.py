"""YouTube Faces (YTF): videos against videos."""

from pathlib import Path

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.crops import crops_folder, read_lines
from kerasface.evaluation.pairs import Pairs, PairSet

__all__ = ["read_ytf"]

_SUFFIXES = (".jpg", ".jpeg", ".png")
_FIELDS = (5, 6)  # splits.txt; splits_corrected.txt has the corrected answer behind the published one


def read_ytf(root: str | Path, *, max_frames: int | None = None) -> PairSet:
    """Reads YTF's protocol: 5,000 pairs of videos in 10 folds of 250 genuine and 250 impostor pairs.

    `splits.txt` begins with a line of headings; then, a pair a line, `FOLD, PAIR, NAME/VIDEO, NAME/VIDEO, SAME` with
    SAME 1 or 0. `splits_corrected.txt`, which repairs mislabelled videos, has a sixth field with the corrected answer;
    where it lies in the folder instead of splits.txt, that one counts. Every video is one template.

    Args:
        root: folder with `splits.txt` (or `splits_corrected.txt`) and crops `aligned_112/NAME/VIDEO/*.jpg`.
        max_frames: at most so many frames a video, spread evenly over it; None takes all 621,126.

    Returns:
        A `PairSet` with a template for every video that the pairs name.

    Raises:
        KerasfaceError: a folder, list or video that is missing, or a line that does not fit, with its number.
        ValueError: `max_frames` below 1.

    Example:
        >>> report = evaluate_pairs(embed, read_ytf("data/ytf", max_frames=100))

    Reference:
        Wolf, Hassner and Maoz, Face recognition in unconstrained videos with matched background similarity, CVPR 2011.
    """
    if max_frames is not None and max_frames < 1:
        raise ValueError(f"max_frames must be at least 1. Received: max_frames={max_frames}")
    root = Path(root)
    crops = crops_folder(root, layout="NAME/VIDEO/*.jpg", lists="splits.txt", benchmark="YTF")
    corrected, published = root / "splits_corrected.txt", root / "splits.txt"
    if corrected.is_file() and published.is_file():
        raise KerasfaceError(
            f"{root} holds splits.txt and splits_corrected.txt: their figures differ, so say which by taking one away."
        )
    path = corrected if corrected.is_file() else published
    videos, pairs = _read_splits(path)
    images, templates = [], []
    for number, video in enumerate(videos):
        frames = _frames(crops / video, max_frames)
        if not frames:
            raise KerasfaceError(f"{path} names the video {video}, but {crops / video} holds no frames. Align them.")
        images += frames
        templates += [number] * len(frames)
    return PairSet("YTF corrected" if path == corrected else "YTF", images, pairs, templates=np.array(templates))


def _read_splits(path):
    lines = read_lines(path, what="YTF's splits.txt")[1:]
    positions: dict[str, int] = {}
    rows = []
    for number, line in enumerate(lines, start=2):
        fields = [field.strip() for field in line.split(",")]
        if len(fields) not in _FIELDS or fields[-1] not in ("0", "1") or not fields[0].isdecimal():
            raise KerasfaceError(
                f"{path}, line {number}: expected `FOLD, PAIR, NAME/VIDEO, NAME/VIDEO, SAME`. Received: {line[:80]!r}"
            )
        first, second = (positions.setdefault(video, len(positions)) for video in fields[2:4])
        rows.append((first, second, fields[-1] == "1", int(fields[0])))
    if not rows:
        raise KerasfaceError(f"{path} holds no pairs below its first line.")
    first, second, same, folds = (np.array(column) for column in zip(*rows, strict=True))
    videos = list(positions)
    _, person = np.unique([video.split("/")[0] for video in videos], return_inverse=True)
    people = np.stack([person[first], person[second]], axis=1)
    # A corrected answer may contradict the names; the list's answer counts, and such a video is somebody of its own.
    stranger = same != (people[:, 0] == people[:, 1])
    people[stranger & ~same, 1] = len(person) + np.flatnonzero(stranger & ~same)
    people[stranger & same, 1] = people[stranger & same, 0]
    return videos, Pairs(first, second, same, folds, people)


def _frames(folder, max_frames):
    if not folder.is_dir():
        return []
    frames = sorted((path for path in folder.iterdir() if path.suffix.lower() in _SUFFIXES), key=_frame_number)
    if max_frames is None or len(frames) <= max_frames:
        return frames
    return [frames[index] for index in np.linspace(0, len(frames) - 1, max_frames).round().astype(int)]


def _frame_number(path):
    # NAME.9.jpg comes before NAME.10.jpg.
    last = path.stem.split(".")[-1]
    return (int(last) if last.isdecimal() else -1, path.name)
