"""Margin heads: embeddings and labels to logits and losses, one head a file, found by name."""

from kerasface.heads._registry import heads as _heads
from kerasface.heads.a_softmax import ASoftmax
from kerasface.heads.arcface import ArcFace
from kerasface.heads.base import MarginHead
from kerasface.heads.cosface import CosFace
from kerasface.heads.modified_softmax import ModifiedSoftmax
from kerasface.heads.normface import NormFace
from kerasface.heads.schedules import Annealing
from kerasface.heads.softmax import Softmax

__all__ = [
    "ASoftmax",
    "Annealing",
    "ArcFace",
    "CosFace",
    "MarginHead",
    "ModifiedSoftmax",
    "NormFace",
    "Softmax",
    "get",
    "names",
    "register",
]

get = _heads.get
names = _heads.names
register = _heads.register
