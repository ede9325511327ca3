"""Parameters and arithmetic, against closed forms, PyTorch's own counter, and what is published."""

import keras
import numpy as np
import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from kerasface import backbones
from kerasface.backbones import flops, multiply_adds, parameters


def torch_multiply_adds(module, *shape):
    with FlopCounterMode(display=False) as counter:
        module(*(torch.zeros(shape) for _ in range(3 if isinstance(module, torch.nn.MultiheadAttention) else 1)))
    return counter.get_total_flops() // 2


def of(layer, *shape):
    x = keras.Input(shape)
    output = layer(x, x) if isinstance(layer, keras.layers.MultiHeadAttention) else layer(x)
    return keras.Model(x, output)


def test_layers_cost_what_pytorch_counts():
    layers, nn = keras.layers, torch.nn
    strided = of(layers.Conv2D(6, 3, 2, padding="same"), 10, 14, 4)
    assert multiply_adds(strided) == torch_multiply_adds(nn.Conv2d(4, 6, 3, 2, padding=1), 1, 4, 10, 14)
    grouped = of(layers.Conv2D(6, 3, groups=2), 10, 14, 4)
    assert multiply_adds(grouped) == torch_multiply_adds(nn.Conv2d(4, 6, 3, groups=2), 1, 4, 10, 14)
    by_channel = of(layers.DepthwiseConv2D((1, 5)), 10, 14, 4)
    assert multiply_adds(by_channel) == torch_multiply_adds(nn.Conv2d(4, 4, (1, 5), groups=4), 1, 4, 10, 14)
    dense = of(layers.Dense(7), 5, 12)
    assert multiply_adds(dense) == torch_multiply_adds(nn.Linear(12, 7), 1, 5, 12)


def test_attention_costs_its_projections_and_products():
    tokens, width = 5, 12
    attention = of(keras.layers.MultiHeadAttention(3, 4), tokens, width)
    # Query, key, value and output; every token with every token, twice.
    assert multiply_adds(attention) == tokens * 4 * width * width + 2 * tokens * tokens * width


def test_flops_count_what_is_folded_too():
    layers = keras.layers
    model = of(layers.Conv2D(6, 3, use_bias=False), 10, 14, 4)
    normed = layers.PReLU(shared_axes=[1, 2])(layers.BatchNormalization()(model.output))
    whole = keras.Model(model.input, layers.Dense(5)(layers.Flatten()(normed)))
    elements = 8 * 12 * 6
    assert multiply_adds(whole) == elements * 9 * 4 + elements * 5
    assert flops(whole) == multiply_adds(whole) + elements * (2 + 1) + 5


def test_statistics_are_no_parameters():
    model = of(keras.layers.BatchNormalization(), 3, 3, 8)
    assert (parameters(model), model.count_params()) == (16, 32)


def test_a_layer_that_it_can_not_count_is_named():
    with pytest.raises(ValueError, match="Received: <LSTM"):
        multiply_adds(of(keras.layers.LSTM(3), 4, 5))
    nested = of(of(keras.layers.Conv2D(6, 3), 10, 14, 4), 10, 14, 4)
    with pytest.raises(ValueError, match="Received: <Functional"):
        multiply_adds(nested)


@pytest.mark.parametrize(
    ("name", "printed"),
    [("mbf", "0.45"), pytest.param("iresnet50", "6.33", marks=pytest.mark.slow)],
)
def test_flops_are_insightfaces(name, printed):
    assert f"{flops(backbones.get(name)) / 1e9:.2f}" == printed


def test_the_micro_network_costs_little():
    model = backbones.get("micro")
    assert model.output_shape == (None, 128)
    assert model.count_params() < 500_000
    assert 3 * multiply_adds(model) < multiply_adds(backbones.get("mobilefacenet"))
    assert parameters(model) == sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
