"""Training: one YAML recipe to a trained, validated, resumable model."""

from kerasface.training.optimizers import CoupledSGD
from kerasface.training.recipe import Recipe
from kerasface.training.result import TrainingResult
from kerasface.training.trainer import train

__all__ = ["CoupledSGD", "Recipe", "TrainingResult", "train"]
