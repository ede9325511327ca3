"""How well embeddings tell people apart: verification, identification, thresholds, angles, in the field's protocols."""

from kerasface.evaluation.angles import PairAngles, pair_angles
from kerasface.evaluation.bootstrap import Intervals, identity_intervals
from kerasface.evaluation.cfp import read_cfp
from kerasface.evaluation.groups import GroupResult, verify_by_group
from kerasface.evaluation.identification import FPIRS, OpenSetResult, open_set
from kerasface.evaluation.lfw import evaluate_lfw, read_lfw, read_lfw_pairs
from kerasface.evaluation.pair_list import packed_pairs, read_pair_list
from kerasface.evaluation.pairs import Pairs, PairSet, linked_people
from kerasface.evaluation.pooling import pool
from kerasface.evaluation.protocol import VerificationReport, evaluate_pairs, report_pairs, score_pairs
from kerasface.evaluation.representation import represent, unit
from kerasface.evaluation.roc import (
    FARS,
    MIN_FALSE_ACCEPTS,
    RocCurve,
    area_under_curve,
    corners,
    equal_error_rate,
    impostors_needed,
    roc_curve,
    tar_at_far,
    threshold_at_far,
)
from kerasface.evaluation.sampling import sample_pairs
from kerasface.evaluation.scores import pair_scores
from kerasface.evaluation.threshold import calibrate
from kerasface.evaluation.verification import VerificationResult, verify
from kerasface.evaluation.ytf import read_ytf

__all__ = [
    "FARS",
    "FPIRS",
    "MIN_FALSE_ACCEPTS",
    "GroupResult",
    "Intervals",
    "OpenSetResult",
    "PairAngles",
    "PairSet",
    "Pairs",
    "RocCurve",
    "VerificationReport",
    "VerificationResult",
    "area_under_curve",
    "calibrate",
    "corners",
    "equal_error_rate",
    "evaluate_lfw",
    "evaluate_pairs",
    "identity_intervals",
    "impostors_needed",
    "linked_people",
    "open_set",
    "packed_pairs",
    "pair_angles",
    "pair_scores",
    "pool",
    "read_cfp",
    "read_lfw",
    "read_lfw_pairs",
    "read_pair_list",
    "read_ytf",
    "report_pairs",
    "represent",
    "roc_curve",
    "sample_pairs",
    "score_pairs",
    "tar_at_far",
    "threshold_at_far",
    "unit",
    "verify",
    "verify_by_group",
]
