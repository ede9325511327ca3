"""arcface_torch's networks as modules, written from their published tables: the truth that imports are held against."""

import numpy as np
import torch
from torch import nn

DEPTHS = {
    18: (2, 2, 2, 2),
    34: (3, 4, 6, 3),
    50: (3, 4, 14, 3),
    100: (3, 13, 30, 3),
    200: (6, 26, 60, 6),
}


class Block(nn.Module):
    def __init__(self, inputs, filters, stride):
        super().__init__()
        self.bn1 = nn.BatchNorm2d(inputs, eps=1e-5)
        self.conv1 = nn.Conv2d(inputs, filters, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(filters, eps=1e-5)
        self.prelu = nn.PReLU(filters)
        self.conv2 = nn.Conv2d(filters, filters, 3, stride, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(filters, eps=1e-5)
        self.downsample = None
        if stride != 1 or inputs != filters:
            conv = nn.Conv2d(inputs, filters, 1, stride, bias=False)
            self.downsample = nn.Sequential(conv, nn.BatchNorm2d(filters, eps=1e-5))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
        return self.bn3(self.conv2(y)) + shortcut


class IResNet(nn.Module):
    def __init__(self, depth=18, size=32, dimension=16):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 64, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(64, eps=1e-5)
        self.prelu = nn.PReLU(64)
        inputs = 64
        for stage, (filters, count) in enumerate(zip((64, 128, 256, 512), DEPTHS[depth], strict=True), start=1):
            blocks = [Block(inputs if i == 0 else filters, filters, 2 if i == 0 else 1) for i in range(count)]
            setattr(self, f"layer{stage}", nn.Sequential(*blocks))
            inputs = filters
        self.bn2 = nn.BatchNorm2d(512, eps=1e-5)
        self.dropout = nn.Dropout(p=0.0)
        self.fc = nn.Linear(512 * (size // 16) ** 2, dimension)
        self.features = nn.BatchNorm1d(dimension, eps=1e-5)

    def forward(self, x):
        x = self.prelu(self.bn1(self.conv1(x)))
        x = self.layer4(self.layer3(self.layer2(self.layer1(x))))
        return self.features(self.fc(torch.flatten(self.dropout(self.bn2(x)), 1)))


class Stack(nn.Module):
    """A module whose parts are numbered under `layers`, as the original nests them."""

    def __init__(self, *parts, residual=False):
        super().__init__()
        self.layers = nn.Sequential(*parts)
        self.residual = residual

    def forward(self, x):
        return x + self.layers(x) if self.residual else self.layers(x)


def linear(inputs, filters, kernel=1, stride=1, padding=0, groups=1):
    conv = nn.Conv2d(inputs, filters, kernel, stride, padding, groups=groups, bias=False)
    return Stack(conv, nn.BatchNorm2d(filters))


def unit(inputs, filters, kernel=1, stride=1, padding=0, groups=1):
    return Stack(*linear(inputs, filters, kernel, stride, padding, groups).layers, nn.PReLU(filters))


def bottleneck(inputs, filters, expanded, stride=1, residual=False):
    middle = unit(expanded, expanded, 3, stride, 1, groups=expanded)
    return Stack(unit(inputs, expanded), middle, linear(expanded, filters), residual=residual)


class MBF(nn.Module):
    def __init__(self, size=32, dimension=16):
        super().__init__()
        residual = {"residual": True}
        self.layers = nn.ModuleList(
            [
                unit(3, 128, 3, 2, 1),
                unit(128, 128, 3, 1, 1, groups=64),
                bottleneck(128, 128, 128, 2),
                Stack(*(bottleneck(128, 128, 128, **residual) for _ in range(4))),
                bottleneck(128, 256, 256, 2),
                Stack(*(bottleneck(256, 256, 256, **residual) for _ in range(6))),
                bottleneck(256, 256, 512, 2),
                Stack(*(bottleneck(256, 256, 256, **residual) for _ in range(2))),
            ]
        )
        self.conv_sep = unit(256, 512)
        global_ = linear(512, 512, size // 16, groups=512)
        self.features = Stack(global_, nn.Flatten(), nn.Linear(512, dimension, bias=False), nn.BatchNorm1d(dimension))

    def forward(self, x):
        for layer in self.layers:
            x = layer(x)
        return self.features(self.conv_sep(x))


def perturbed(network, seed=0):
    """Draws every weight and statistic anew, as different from a fresh network's as training would leave them."""
    generator = torch.Generator().manual_seed(seed)

    def draw(tensor, low, high):
        tensor.data.copy_(low + (high - low) * torch.rand(tensor.shape, generator=generator))

    for module in network.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            draw(module.weight, 0.5, 1.5)
            draw(module.bias, -0.3, 0.3)
            draw(module.running_mean, -0.3, 0.3)
            draw(module.running_var, 0.5, 1.5)
        elif isinstance(module, nn.PReLU):
            draw(module.weight, 0.05, 0.5)
        elif isinstance(module, nn.Conv2d | nn.Linear):
            bound = (3 / module.weight[0].numel()) ** 0.5
            draw(module.weight, -bound, bound)
            if module.bias is not None:
                draw(module.bias, -0.3, 0.3)
    if hasattr(network, "bn2"):
        network.features.weight.data.fill_(1.0)  # the original fixes it there
    return network.eval()


def embed(network, pixels):
    """(N, H, W, 3) float32 pixels, prepared, through a PyTorch network."""
    with torch.inference_mode():
        return network(torch.from_numpy(np.ascontiguousarray(pixels.transpose(0, 3, 1, 2)))).numpy()
