"""How well embeddings tell people apart: verification, identification, thresholds, angles, in the field's protocols."""

from kerasface.evaluation.angles import PairAngles, pair_angles
from kerasface.evaluation.identification import FPIRS, OpenSetResult, open_set
from kerasface.evaluation.lfw import evaluate_lfw, score_lfw
from kerasface.evaluation.pairs import Pairs, read_lfw_pairs, sample_pairs
from kerasface.evaluation.representation import represent, unit
from kerasface.evaluation.roc import (
    FARS,
    MIN_FALSE_ACCEPTS,
    RocCurve,
    area_under_curve,
    equal_error_rate,
    impostors_needed,
    roc_curve,
    tar_at_far,
)
from kerasface.evaluation.scores import pair_scores
from kerasface.evaluation.threshold import calibrate
from kerasface.evaluation.verification import VerificationResult, verify

__all__ = [
    "FARS",
    "FPIRS",
    "MIN_FALSE_ACCEPTS",
    "OpenSetResult",
    "PairAngles",
    "Pairs",
    "RocCurve",
    "VerificationResult",
    "area_under_curve",
    "calibrate",
    "equal_error_rate",
    "evaluate_lfw",
    "impostors_needed",
    "open_set",
    "pair_angles",
    "pair_scores",
    "read_lfw_pairs",
    "represent",
    "roc_curve",
    "sample_pairs",
    "score_lfw",
    "tar_at_far",
    "unit",
    "verify",
]
