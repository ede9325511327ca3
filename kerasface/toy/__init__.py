"""The toy experiment of the papers: digits embedded in two or three dimensions, where angles can be seen."""

from kerasface.toy.data import Digits, load_digits
from kerasface.toy.experiment import Setting, ToyRun, train_toy
from kerasface.toy.measures import (
    Spread,
    angular_fisher_score,
    angular_spread,
    extreme_angles,
    keeps_margin,
    without_outliers,
)
from kerasface.toy.paper import paper_settings, run_paper
from kerasface.toy.sheet import feature_sheet

__all__ = [
    "Digits",
    "Setting",
    "Spread",
    "ToyRun",
    "angular_fisher_score",
    "angular_spread",
    "extreme_angles",
    "feature_sheet",
    "keeps_margin",
    "load_digits",
    "paper_settings",
    "run_paper",
    "train_toy",
    "without_outliers",
]
