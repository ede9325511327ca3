"""Angles between the embeddings of pairs: what a margin acts on."""

import dataclasses

import numpy as np

from kerasface.evaluation.result import Result
from kerasface.evaluation.scores import check_scores

__all__ = ["PairAngles", "pair_angles"]


@dataclasses.dataclass(frozen=True, eq=False)
class PairAngles(Result):
    """Histograms of the angles of genuine and impostor pairs.

    Args:
        genuine_counts: (180,) int, pairs of one person by whole degrees: entry i counts those in [i°, i + 1°), the last
            one 180° too.
        impostor_counts: (180,) int, pairs of two people; 90° on average when embeddings fill the sphere evenly.
        genuine_mean_degrees, genuine_std_degrees, impostor_mean_degrees, impostor_std_degrees: means and standard
            deviations over the pairs themselves, not over the bins.
    """

    genuine_counts: np.ndarray
    impostor_counts: np.ndarray
    genuine_mean_degrees: float
    genuine_std_degrees: float
    impostor_mean_degrees: float
    impostor_std_degrees: float


def pair_angles(scores, same) -> PairAngles:
    """Turns cosines of pairs into the angles that a histogram of margins shows, `θ = arccos(score)`.

    Args:
        scores: (P,) cosines; rounding past ±1 is cut off.
        same: (P,) bool, True for genuine pairs.

    Returns:
        A `PairAngles`, ready for `plot.angle_histograms`.

    Raises:
        ValueError: see `check_scores`.

    Example:
        >>> plot.angle_histograms(pair_angles(pair_scores(embeddings, pairs), pairs.same))

    Reference:
        Deng et al., ArcFace, CVPR 2019, figure 7 (angle distributions of the test sets' pairs).
    """
    scores, same = check_scores(scores, same)
    degrees = np.degrees(np.arccos(np.clip(scores, -1.0, 1.0)))
    genuine, impostor = degrees[same], degrees[~same]
    return PairAngles(
        genuine_counts=np.histogram(genuine, 180, (0, 180))[0],
        impostor_counts=np.histogram(impostor, 180, (0, 180))[0],
        genuine_mean_degrees=float(genuine.mean()),
        genuine_std_degrees=float(genuine.std()),
        impostor_mean_degrees=float(impostor.mean()),
        impostor_std_degrees=float(impostor.std()),
    )
