"""MobileFaceNet, SphereFace-20 and ArcFace's head as a PyTorch user writes them: what our training step is beside."""

import torch
from torch import nn
from torch.nn import functional

__all__ = ["ArcFaceHead", "mobile_facenet", "sphereface20"]

# Expansion, channels, repeats, first stride: the paper's table 1, as kerasface's.
_BOTTLENECKS = ((2, 64, 5, 2), (4, 128, 1, 2), (2, 128, 6, 1), (4, 128, 1, 2), (2, 128, 2, 1))
# Channels and residual units of the four stages.
_STAGES = ((64, 1), (128, 2), (256, 4), (512, 1))


class Residual(nn.Module):
    """x + body(x)."""

    def __init__(self, body):
        super().__init__()
        self.body = body

    def forward(self, x):
        return x + self.body(x)


class ArcFaceHead(nn.Module):
    """Normalise, linear, the margin on the target's angle, cross-entropy; in float32 also under autocast."""

    def __init__(self, classes, dim, scale, margin):
        super().__init__()
        self.prototypes = nn.Parameter(torch.randn(classes, dim) * 0.01)
        self.scale, self.margin = scale, margin

    def forward(self, embeddings, labels):
        with torch.autocast("cpu", enabled=False):
            cosines = functional.linear(functional.normalize(embeddings.float()), functional.normalize(self.prototypes))
            target = cosines.gather(1, labels[:, None]).clamp(-1 + 1e-7, 1 - 1e-7)
            logits = cosines.scatter(1, labels[:, None], torch.cos(torch.acos(target) + self.margin))
            return functional.cross_entropy(self.scale * logits, labels)


def mobile_facenet(dim):
    """MobileFaceNet at 112×112; `dim` embedding dimensions."""
    layers = [*_unit(3, 64, 3, stride=2), *_unit(64, 64, 3, groups=64)]
    channels = 64
    for expansion, filters, repeats, stride in _BOTTLENECKS:
        for block in range(repeats):
            step, wide = stride if block == 0 else 1, expansion * channels
            body = nn.Sequential(
                *_unit(channels, wide, 1),
                *_unit(wide, wide, 3, stride=step, groups=wide),
                *_unit(wide, filters, 1, linear=True),
            )
            layers.append(Residual(body) if step == 1 and channels == filters else body)
            channels = filters
    layers += [*_unit(channels, 512, 1), *_unit(512, 512, 7, groups=512, padding=0, linear=True)]
    return nn.Sequential(*layers, *_unit(512, dim, 1, linear=True), nn.Flatten())


def sphereface20(dim):
    """SphereFace-20 at 112×112; `dim` embedding dimensions."""
    layers, channels = [], 3
    for filters, units in _STAGES:
        layers += [nn.Conv2d(channels, filters, 3, 2, 1), nn.PReLU(filters)]
        for _ in range(units):
            convolutions = [nn.Conv2d(filters, filters, 3, 1, 1, bias=False) for _ in range(2)]
            for convolution in convolutions:
                nn.init.normal_(convolution.weight, std=0.01)
            first, second = convolutions
            layers.append(Residual(nn.Sequential(first, nn.PReLU(filters), second, nn.PReLU(filters))))
        channels = filters
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * 7 * 7, dim))


def _unit(channels, filters, kernel, *, stride=1, groups=1, padding=None, linear=False):
    padding = kernel // 2 if padding is None else padding
    yield nn.Conv2d(channels, filters, kernel, stride, padding, groups=groups, bias=False)
    yield nn.BatchNorm2d(filters)
    if not linear:
        yield nn.PReLU(filters)
