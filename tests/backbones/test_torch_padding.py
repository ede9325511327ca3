"""Strided convolutions equal PyTorch's with the same weights, at even and odd sizes."""

import keras
import numpy as np
import pytest
import torch

from kerasface.backbones.blocks import convolution, depthwise

CHANNELS = 4


@pytest.mark.parametrize("size", [(112, 96), (7, 9), (8, 7)])
@pytest.mark.parametrize("kernel", [1, 3, 5])
@pytest.mark.parametrize("strides", [1, 2])
def test_a_convolution_is_torchs(size, kernel, strides, rng):
    images = rng.normal(size=(2, *size, CHANNELS)).astype(np.float32)
    x = keras.Input((*size, CHANNELS))
    layers = {
        1: convolution(x, 6, kernel, strides=strides, name="full"),
        CHANNELS: depthwise(x, kernel, strides=strides, name="by_channel"),
    }
    for groups, output in layers.items():
        model = keras.Model(x, output)
        weight = np.asarray(model.layers[-1].kernel)
        # Keras keeps a depthwise kernel as (k, k, channel, 1), PyTorch as (channel, 1, k, k).
        weight = np.transpose(weight, (3, 2, 0, 1) if groups == 1 else (2, 3, 0, 1))
        theirs = torch.nn.Conv2d(
            CHANNELS, weight.shape[0], kernel, stride=strides, padding=kernel // 2, groups=groups, bias=False
        )
        theirs.weight.data = torch.from_numpy(weight.copy())
        expected = theirs(torch.from_numpy(images).permute(0, 3, 1, 2)).detach().permute(0, 2, 3, 1).numpy()
        np.testing.assert_allclose(np.asarray(model(images)), expected, rtol=1e-4, atol=1e-5)
