"""Losses beside the heads: pairs, triplets, centres and a teacher, each alone or joined to a head in `FaceModel`."""

from kerasface.losses._registry import losses as _losses
from kerasface.losses.angular_triplet import AngularTriplet
from kerasface.losses.base import EmbeddingLoss
from kerasface.losses.center_loss import CenterLoss
from kerasface.losses.contrastive import Contrastive
from kerasface.losses.distillation import Distillation
from kerasface.losses.triplet import Triplet

__all__ = [
    "AngularTriplet",
    "CenterLoss",
    "Contrastive",
    "Distillation",
    "EmbeddingLoss",
    "Triplet",
    "get",
    "names",
    "register",
]

get = _losses.get
names = _losses.names
register = _losses.register
