"""The whole way of a verification benchmark: images in, a report out."""

import dataclasses
from collections.abc import Callable

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation.angles import PairAngles, pair_angles
from kerasface.evaluation.groups import GroupResult, verify_by_group
from kerasface.evaluation.pairs import Pairs, PairSet
from kerasface.evaluation.pooling import pool
from kerasface.evaluation.representation import represent, unit
from kerasface.evaluation.result import Result
from kerasface.evaluation.roc import RocCurve, corners, roc_curve
from kerasface.evaluation.scores import held_out_scores, pair_scores
from kerasface.evaluation.verification import VerificationResult, verify

__all__ = ["VerificationReport", "evaluate_pairs", "report_pairs", "score_pairs", "score_set"]


@dataclasses.dataclass(frozen=True, eq=False)
class VerificationReport(Result):
    """Everything that a verification benchmark tells, enough to draw its figures again from the JSON.

    Args:
        benchmark: name of the set.
        embedder: name of the embedder, or "".
        flip, subtract_mean, metric: the test-time representation, see `evaluate_pairs`.
        result: the figures.
        curve: the ROC, its corners.
        angles: histograms of the pairs' angles.
        groups: by group, where the set names groups.
    """

    benchmark: str
    embedder: str
    flip: str
    subtract_mean: bool
    metric: str
    result: VerificationResult
    curve: RocCurve
    angles: PairAngles
    groups: tuple[GroupResult, ...]


def evaluate_pairs(
    embed: Callable[[np.ndarray], np.ndarray],
    pair_set: PairSet,
    *,
    flip: str = "none",
    subtract_mean: bool = False,
    metric: str = "cosine",
    embedder: str = "",
    progress: Callable[[int, int], None] | None = None,
) -> VerificationReport:
    """Measures an embedder on a set of pairs.

    Each image is embedded once. Templates (videos) are the mean of their images' unit embeddings, scaled to length 1.

    Args:
        embed: callable, uint8 (B, H, W, 3) RGB -> (B, D) float.
        pair_set: from `read_lfw`, `read_cfp`, `read_ytf`, `read_pair_list` or `packed_pairs`.
        flip: how a face and its mirror image are joined, see `represent`.
        subtract_mean: take from every embedding the mean of the training folds' embeddings before cosines are computed,
            anew for each held-out fold.
        metric: "cosine" or "l2", see `pair_scores`.
        embedder: its name, for the report.
        progress: called as `progress(done, total)`, in images.

    Returns:
        A `VerificationReport`.

    Raises:
        KerasfaceError: a mean to subtract, and a single fold; or see `represent`.

    Example:
        >>> report = evaluate_pairs(Embedder.load("face.tflite").embed, read_lfw("data/lfw"), flip="sum")
        >>> f"{report.result.accuracy_mean:.2%}"

    Reference:
        Subtracted mean and concatenated flip: Liu et al., SphereFace, CVPR 2017, the authors' evaluation code.
    """
    scores = score_set(embed, pair_set, flip=flip, subtract_mean=subtract_mean, metric=metric, progress=progress)
    return report_pairs(scores, pair_set, flip=flip, subtract_mean=subtract_mean, metric=metric, embedder=embedder)


def score_set(
    embed: Callable[[np.ndarray], np.ndarray],
    pair_set: PairSet,
    *,
    flip: str = "none",
    subtract_mean: bool = False,
    metric: str = "cosine",
    progress: Callable[[int, int], None] | None = None,
) -> np.ndarray:
    """The first half of `evaluate_pairs`: the scores, for `report_pairs` and `worst_pairs`.

    Args:
        embed, pair_set, flip, subtract_mean, metric, progress: see `evaluate_pairs`.

    Returns:
        See `score_pairs`.

    Raises:
        KerasfaceError: see `represent`.

    Example:
        >>> scores = score_set(embed, read_lfw("data/lfw"), flip="sum")
    """
    embeddings = represent(embed, pair_set.images, flip=flip, progress=progress)
    if pair_set.templates is not None:
        embeddings = pool(embeddings, pair_set.templates)
    return score_pairs(embeddings, pair_set.pairs, subtract_mean=subtract_mean, metric=metric)


def score_pairs(embeddings, pairs: Pairs, *, subtract_mean: bool = False, metric: str = "cosine") -> np.ndarray:
    """Scores pairs as `verify` takes them.

    Args:
        embeddings: (N, D) float.
        pairs: indices into their rows.
        subtract_mean, metric: see `evaluate_pairs`.

    Returns:
        (P,) float32; with `subtract_mean` (K, P), row k for held-out fold k.

    Raises:
        KerasfaceError: a mean to subtract, and a single fold.
        ValueError: see `pair_scores`.

    Example:
        >>> verify(score_pairs(embeddings, pairs, subtract_mean=True), pairs.same, pairs.folds)
    """
    if not subtract_mean:
        return pair_scores(embeddings, pairs, metric=metric)
    embeddings, numbers = unit(embeddings), np.unique(pairs.folds)
    if numbers.size < 2:
        raise KerasfaceError(
            f"the mean that is subtracted is that of the other folds, and there is one: {numbers[0]}. Give the pairs "
            "folds, or leave the mean in."
        )
    rows = []
    for fold in numbers:
        training = pairs.folds != fold
        # An image counts as often as training pairs show it, as in the published code.
        shown = np.concatenate([pairs.first[training], pairs.second[training]])
        counts = np.bincount(shown, minlength=len(embeddings))
        mean = counts @ embeddings.astype(np.float64) / counts.sum()
        rows.append(pair_scores(embeddings - mean, pairs, metric=metric))
    return np.stack(rows)


def report_pairs(
    scores, pair_set: PairSet, *, flip: str, subtract_mean: bool = False, metric: str = "cosine", embedder: str = ""
) -> VerificationReport:
    """Builds the report of scores that are already there.

    Args:
        scores: from `score_pairs`, or from anything else that compares faces.
        pair_set: what was scored; its images are not touched. A set of one fold is measured without accuracies.
        flip, subtract_mean, metric, embedder: how, for the record.

    Returns:
        A `VerificationReport`.

    Raises:
        ValueError: see `verify`.

    Example:
        >>> pair_set = read_lfw("data/lfw")
        >>> report_pairs(score_set(embed, pair_set), pair_set, flip="none").result.auc
    """
    pairs = pair_set.pairs
    folds = pairs.folds if np.ptp(pairs.folds) else None
    result = verify(scores, pairs.same, folds, people=pairs.people)
    own = held_out_scores(scores, pairs.folds)
    return VerificationReport(
        benchmark=pair_set.name,
        embedder=embedder,
        flip=flip,
        subtract_mean=subtract_mean,
        metric=metric,
        result=result,
        curve=corners(roc_curve(own, pairs.same)),
        angles=pair_angles(own if metric == "cosine" else 1 - np.square(own) / 2, pairs.same),
        groups=()
        if folds is None
        else verify_by_group(own, pairs.same, folds, result.fold_thresholds, pair_set.groups, people=pairs.people),
    )
