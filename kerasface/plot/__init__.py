"""Figures: results in, Matplotlib `Figure` out, no window and no pyplot."""

from kerasface.plot.boundaries import decision_boundary_figure
from kerasface.plot.comparison import accuracy_dots, angle_rows
from kerasface.plot.curves import cmc, det, roc
from kerasface.plot.faces import face_grid
from kerasface.plot.head_curves import psi_figure, target_logit_figure
from kerasface.plot.histograms import angle_histograms
from kerasface.plot.report import failure_grid, report_figures, write_report_page
from kerasface.plot.strangers import before_and_after
from kerasface.plot.style import ACCEPTED, REJECTED, save
from kerasface.plot.training import training_curve

__all__ = [
    "ACCEPTED",
    "REJECTED",
    "accuracy_dots",
    "angle_histograms",
    "angle_rows",
    "before_and_after",
    "cmc",
    "decision_boundary_figure",
    "det",
    "face_grid",
    "failure_grid",
    "psi_figure",
    "report_figures",
    "roc",
    "save",
    "target_logit_figure",
    "training_curve",
    "write_report_page",
]
