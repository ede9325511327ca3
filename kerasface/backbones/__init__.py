"""Backbones: aligned face pixels to embeddings, one architecture a file, found by name."""

from kerasface.backbones._registry import backbones as _backbones
from kerasface.backbones.complexity import flops, multiply_adds, parameters
from kerasface.backbones.ghost_facenet import GhostFaceNet
from kerasface.backbones.iresnet import IResNet
from kerasface.backbones.mbf import MBF
from kerasface.backbones.micro_facenet import MicroFaceNet
from kerasface.backbones.mobile_facenet import MobileFaceNet
from kerasface.backbones.sphereface_net import SphereFaceNet
from kerasface.backbones.vit_tiny import ViTTiny

__all__ = [
    "MBF",
    "GhostFaceNet",
    "IResNet",
    "MicroFaceNet",
    "MobileFaceNet",
    "SphereFaceNet",
    "ViTTiny",
    "flops",
    "get",
    "multiply_adds",
    "names",
    "parameters",
    "register",
]

get = _backbones.get
names = _backbones.names
register = _backbones.register
