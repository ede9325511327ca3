"""Comparison: variants of one recipe, trained one after the other, measured, and set side by side."""

from kerasface.training.comparison.page import write_page
from kerasface.training.comparison.plan import Comparison
from kerasface.training.comparison.result import ComparisonResult, Diverged, RunMeasures
from kerasface.training.comparison.run import compare

__all__ = ["Comparison", "ComparisonResult", "Diverged", "RunMeasures", "compare", "write_page"]
