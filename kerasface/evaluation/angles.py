"""Angles between the embeddings of pairs: what a margin acts on."""

import dataclasses

import numpy as np

from kerasface.evaluation.result import Result
from kerasface.evaluation.scores import check_scores

__all__ = ["PairAngles", "pair_angles"]


@dataclasses.dataclass(frozen=True, eq=False)
class PairAngles(Result):
    """Angles of genuine and impostor pairs, in degrees from 0 to 180.

    Args:
        genuine_degrees: (G,) float64, of pairs of one person.
        impostor_degrees: (I,) float64, of pairs of two people; 90 on average when embeddings fill the sphere evenly.
        genuine_mean_degrees, genuine_std_degrees, impostor_mean_degrees, impostor_std_degrees: their means and their
            standard deviations over the pairs.
    """

    genuine_degrees: np.ndarray
    impostor_degrees: np.ndarray
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
        >>> angles = pair_angles(pair_scores(embeddings, pairs), pairs.same)
        >>> plot.angle_histograms(angles.genuine_degrees, angles.impostor_degrees)

    Reference:
        Deng et al., ArcFace, CVPR 2019, table 3 (angle statistics).
    """
    scores, same = check_scores(scores, same)
    degrees = np.degrees(np.arccos(np.clip(scores, -1.0, 1.0)))
    genuine, impostor = degrees[same], degrees[~same]
    return PairAngles(
        genuine_degrees=genuine,
        impostor_degrees=impostor,
        genuine_mean_degrees=float(genuine.mean()),
        genuine_std_degrees=float(genuine.std()),
        impostor_mean_degrees=float(impostor.mean()),
        impostor_std_degrees=float(impostor.std()),
    )
