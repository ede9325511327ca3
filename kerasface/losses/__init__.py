"""Losses beside the heads: pairs, triplets, centres and a teacher, each alone or joined to a head in `FaceModel`."""

from kerasface.losses.distillation import Distillation

__all__ = ["Distillation"]
