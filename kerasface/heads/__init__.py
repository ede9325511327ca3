"""Margin heads: embeddings and labels to logits and losses, one head a file, found by name."""

from kerasface.heads._registry import heads as _heads
from kerasface.heads.a_softmax import ASoftmax
from kerasface.heads.adacos import AdaCos
from kerasface.heads.adaface import AdaFace
from kerasface.heads.arcface import ArcFace
from kerasface.heads.base import MarginHead
from kerasface.heads.combined_margin import CombinedMargin
from kerasface.heads.cosface import CosFace
from kerasface.heads.curricularface import CurricularFace
from kerasface.heads.elasticface import ElasticFace
from kerasface.heads.l_softmax import LSoftmax
from kerasface.heads.magface import MagFace
from kerasface.heads.modified_softmax import ModifiedSoftmax
from kerasface.heads.mv_softmax import MVSoftmax
from kerasface.heads.normface import NormFace
from kerasface.heads.partial_fc import PartialFC
from kerasface.heads.schedules import Annealing
from kerasface.heads.sharding import shard_prototypes
from kerasface.heads.softmax import Softmax
from kerasface.heads.sphereface import SphereFace
from kerasface.heads.sphereface2 import SphereFace2
from kerasface.heads.sphereface_r import SphereFaceR
from kerasface.heads.sub_center_arcface import SubCenterArcFace

__all__ = [
    "ASoftmax",
    "AdaCos",
    "AdaFace",
    "Annealing",
    "ArcFace",
    "CombinedMargin",
    "CosFace",
    "CurricularFace",
    "ElasticFace",
    "LSoftmax",
    "MVSoftmax",
    "MagFace",
    "MarginHead",
    "ModifiedSoftmax",
    "NormFace",
    "PartialFC",
    "Softmax",
    "SphereFace",
    "SphereFace2",
    "SphereFaceR",
    "SubCenterArcFace",
    "get",
    "names",
    "register",
    "shard_prototypes",
]

get = _heads.get
names = _heads.names
register = _heads.register
