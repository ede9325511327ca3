"""Figures: results in, Matplotlib `Figure` out, no window and no pyplot."""

from kerasface.plot.curves import roc
from kerasface.plot.faces import face_grid
from kerasface.plot.histograms import angle_histograms
from kerasface.plot.style import ACCEPTED, REJECTED, save
from kerasface.plot.training import training_curve

__all__ = ["ACCEPTED", "REJECTED", "angle_histograms", "face_grid", "roc", "save", "training_curve"]
