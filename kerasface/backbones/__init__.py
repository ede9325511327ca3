"""Backbones: aligned face pixels to embeddings, one architecture a file, found by name."""

from kerasface.backbones._registry import backbones as _backbones
from kerasface.backbones.iresnet import IResNet
from kerasface.backbones.mbf import MBF
from kerasface.backbones.mobile_facenet import MobileFaceNet
from kerasface.backbones.sphereface_net import SphereFaceNet

__all__ = ["MBF", "IResNet", "MobileFaceNet", "SphereFaceNet", "get", "names"]

get = _backbones.get
names = _backbones.names
