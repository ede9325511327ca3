"""Training: one YAML recipe to a trained, validated, resumable model."""

from kerasface.training.optimizers import CoupledSGD
from kerasface.training.recipe import Recipe
from kerasface.training.trainer import TrainingResult, train

__all__ = ["CoupledSGD", "Recipe", "TrainingResult", "train"]
