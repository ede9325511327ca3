"""The LFW benchmark, view 2, on a folder of aligned crops."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.pairs import Pairs, read_lfw_pairs
from kerasface.evaluation.representation import represent
from kerasface.evaluation.scores import pair_scores
from kerasface.evaluation.verification import VerificationResult, verify

__all__ = ["evaluate_lfw", "score_lfw"]


def evaluate_lfw(
    embed: Callable[[np.ndarray], np.ndarray],
    root: str | Path,
    *,
    flip: str = "none",
    progress: Callable[[int, int], None] | None = None,
) -> VerificationResult:
    """Measures an embedder by LFW's protocol "unrestricted, with labelled outside data".

    Args:
        embed: callable, uint8 (B, 112, 112, 3) RGB -> (B, D) float.
        root: folder with `aligned_112/NAME/NAME_0001.jpg` and `pairs.txt`.
        flip: how a face and its mirror image are joined, see `represent`.
        progress: called as `progress(done, total)`, in images.

    Returns:
        A `VerificationResult` of 6,000 pairs in 10 folds.

    Raises:
        KerasfaceError: no such folder, pair list or image, or see `represent`.

    Example:
        >>> result = evaluate_lfw(Embedder.load("face.tflite").embed, "data/lfw", flip="sum")

    Reference:
        Huang et al., Labeled Faces in the Wild, UMass Amherst TR 07-49 (2007); for the protocol's name, Huang and
        Learned-Miller, UMass Amherst TR UM-CS-2014-003 (2014).
    """
    scores, pairs = score_lfw(embed, root, flip=flip, progress=progress)
    return verify(scores, pairs.same, pairs.folds)


def score_lfw(
    embed: Callable[[np.ndarray], np.ndarray],
    root: str | Path,
    *,
    flip: str = "none",
    progress: Callable[[int, int], None] | None = None,
) -> tuple[np.ndarray, Pairs]:
    """Scores LFW's pairs, for `verify` and for what else they tell: the ROC, the angles, a threshold.

    Each of the 7,701 distinct images is embedded once.

    Args:
        embed, root, flip, progress: see `evaluate_lfw`.

    Returns:
        scores (6000,) float32 cosines and their `Pairs`.

    Raises:
        KerasfaceError: see `evaluate_lfw`.
    """
    root = Path(root)
    aligned = root / "aligned_112"
    if not aligned.is_dir():
        raise KerasfaceError(
            f"{root} is no LFW folder: expected aligned_112/NAME/NAME_0001.jpg and pairs.txt in it. Received: "
            f"{'no aligned_112 there' if root.is_dir() else 'no such folder'}. Align the photos first, or name the "
            "folder above aligned_112."
        )
    images, pairs = read_lfw_pairs(root / "pairs.txt")
    paths = [aligned / image for image in images]
    missing = [path for path in paths if not path.is_file()]
    if missing:
        raise KerasfaceError(
            f"{len(missing):,} of the {len(paths):,} images that {root / 'pairs.txt'} names are missing, the first is "
            f"{missing[0]}. All are needed: accuracies over fewer pairs are not LFW's. Align the whole set again."
        )
    return pair_scores(represent(embed, paths, flip=flip, progress=progress), pairs), pairs
