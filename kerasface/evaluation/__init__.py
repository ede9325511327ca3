"""How well embeddings tell people apart: verification, identification, thresholds, angles, in the field's protocols."""

from kerasface.evaluation.all_pairs import ImpostorTail, impostor_tail
from kerasface.evaluation.angle_table import ClassAngles, class_angles
from kerasface.evaluation.angles import PairAngles, pair_angles
from kerasface.evaluation.bootstrap import Intervals, identity_intervals
from kerasface.evaluation.calibration import calibrate_embedder
from kerasface.evaluation.cfp import read_cfp
from kerasface.evaluation.failures import worst_pairs
from kerasface.evaluation.gallery_search import SearchResult, search
from kerasface.evaluation.gallery_store import open_gallery, quantized, save_gallery
from kerasface.evaluation.groups import GroupResult, verify_by_group
from kerasface.evaluation.identification import FPIRS, OpenSetResult, open_set
from kerasface.evaluation.ijb import IjbSet, embed_ijb, evaluate_ijb, identify_ijb, read_ijb
from kerasface.evaluation.lfw import evaluate_lfw, read_lfw, read_lfw_pairs
from kerasface.evaluation.megaface_challenge import MegaFaceResult, megaface
from kerasface.evaluation.pair_list import packed_pairs, read_pair_list
from kerasface.evaluation.pairs import Pairs, PairSet, linked_people
from kerasface.evaluation.people import IdentificationReport, evaluate_people, first_images
from kerasface.evaluation.pooling import pool
from kerasface.evaluation.protocol import VerificationReport, evaluate_pairs, report_pairs, score_pairs, score_set
from kerasface.evaluation.report import Report, Row, report_rows, to_csv, to_markdown
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
from kerasface.evaluation.strangers import MembersAndStrangers, members_and_strangers, tightest_fpir
from kerasface.evaluation.threshold import calibrate, calibrate_tail
from kerasface.evaluation.verification import VerificationResult, verify
from kerasface.evaluation.ytf import read_ytf

__all__ = [
    "FARS",
    "FPIRS",
    "MIN_FALSE_ACCEPTS",
    "ClassAngles",
    "GroupResult",
    "IdentificationReport",
    "IjbSet",
    "ImpostorTail",
    "Intervals",
    "MegaFaceResult",
    "MembersAndStrangers",
    "OpenSetResult",
    "PairAngles",
    "PairSet",
    "Pairs",
    "Report",
    "RocCurve",
    "Row",
    "SearchResult",
    "VerificationReport",
    "VerificationResult",
    "area_under_curve",
    "calibrate",
    "calibrate_embedder",
    "calibrate_tail",
    "class_angles",
    "corners",
    "embed_ijb",
    "equal_error_rate",
    "evaluate_ijb",
    "evaluate_lfw",
    "evaluate_pairs",
    "evaluate_people",
    "first_images",
    "identify_ijb",
    "identity_intervals",
    "impostor_tail",
    "impostors_needed",
    "linked_people",
    "megaface",
    "members_and_strangers",
    "open_gallery",
    "open_set",
    "packed_pairs",
    "pair_angles",
    "pair_scores",
    "pool",
    "quantized",
    "read_cfp",
    "read_ijb",
    "read_lfw",
    "read_lfw_pairs",
    "read_pair_list",
    "read_ytf",
    "report_pairs",
    "report_rows",
    "represent",
    "roc_curve",
    "sample_pairs",
    "save_gallery",
    "score_pairs",
    "score_set",
    "search",
    "tar_at_far",
    "threshold_at_far",
    "tightest_fpir",
    "to_csv",
    "to_markdown",
    "unit",
    "verify",
    "verify_by_group",
    "worst_pairs",
]
