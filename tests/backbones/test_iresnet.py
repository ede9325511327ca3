"""IResNet: the published counts, arcface_torch's names and starts, where strides and shortcuts lie, and the head."""

import re

import keras
import numpy as np
import pytest

from kerasface import backbones
from kerasface.backbones import IResNet
from tests.backbones.networks import SMALL, settle

# Millions of parameters as published, and the blocks of each stage.
PUBLISHED = {
    18: ("24.03", (2, 2, 2, 2)),
    34: ("34.14", (3, 4, 6, 3)),
    50: ("43.59", (3, 4, 14, 3)),
    100: ("65.16", (3, 13, 30, 3)),
    200: ("118.8", (6, 26, 60, 6)),
}


@pytest.fixture(scope="module")
def network():
    name, arguments = SMALL["iresnet18"]
    return backbones.get(name, **arguments)


def count(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


@pytest.mark.parametrize(
    "depth", [18, 34, pytest.param(50), *(pytest.param(d, marks=pytest.mark.slow) for d in (100, 200))]
)
def test_has_the_published_parameters(depth):
    printed, blocks = PUBLISHED[depth]
    model = backbones.get(f"iresnet{depth}")
    assert f"{count(model) / 1e6:.{len(printed.split('.')[1])}f}" == printed
    assert (model.name, model.output_shape) == (f"iresnet{depth}", (None, 512))
    assert model.get_layer("fc").kernel.shape == (7 * 7 * 512, 512)
    numbers = [re.match(r"layer(\d)_(\d+)_conv1$", layer.name) for layer in model.layers]
    found = [(int(match[1]), int(match[2])) for match in numbers if match]
    assert found == [(stage, block) for stage, many in enumerate(blocks, start=1) for block in range(many)]


def test_is_named_as_arcface_torchs_state_dict(network):
    names = {layer.name for layer in network.layers if layer.weights}
    expected = {"conv1", "bn1", "prelu", "bn2", "fc", "features"}
    for stage in (1, 2, 3, 4):
        expected |= {f"layer{stage}_0_downsample_{part}" for part in (0, 1)}
        for block in (0, 1):
            parts = ("bn1", "conv1", "bn2", "prelu", "conv2", "bn3")
            expected |= {f"layer{stage}_{block}_{part}" for part in parts}
    assert names == expected


def test_the_second_convolution_of_a_stages_first_block_strides(network):
    strided = {layer.name for layer in network.layers if getattr(layer, "strides", (1, 1)) == (2, 2)}
    assert strided == {f"layer{stage}_0_{part}" for stage in (1, 2, 3, 4) for part in ("conv2", "downsample_0")}
    for stage, channels in enumerate((64, 128, 256, 512), start=1):
        assert network.get_layer(f"layer{stage}_1_add").output.shape[1:] == (32 >> stage, 32 >> stage, channels)


def test_a_block_is_what_numpy_makes_of_its_parts(network, rng):
    parts = [network.get_layer(f"layer2_0_{part}") for part in ("bn3", "downsample_1", "add")]
    x = rng.normal(size=(1, 32, 32, 3)).astype(np.float32)
    inner, shortcut, total = (np.asarray(y) for y in keras.Model(network.input, [part.output for part in parts])(x))
    np.testing.assert_array_equal(total, inner + shortcut)
    down = network.get_layer("layer2_0_downsample_0")
    given, found = (np.asarray(y) for y in keras.Model(network.input, [down.input, down.output])(x))
    np.testing.assert_allclose(found, given[:, ::2, ::2] @ np.asarray(down.kernel)[0, 0], rtol=1e-4, atol=1e-3)


def test_batch_norm_is_pytorchs(network):
    norms = [layer for layer in network.layers if isinstance(layer, keras.layers.BatchNormalization)]
    assert {(layer.epsilon, layer.momentum) for layer in norms} == {(1e-5, 0.9)}
    # The embedding's gamma is fixed at 1; every other is learned.
    assert [layer.name for layer in norms if not layer.scale] == ["features"]


def test_starts_as_arcface_torch_does():
    model = IResNet(depth=18, input_shape=(32, 32, 3))
    for name in ("layer2_1_conv1", "layer4_0_downsample_0"):
        values = np.asarray(model.get_layer(name).kernel)
        assert values.std() == pytest.approx(0.1, rel=0.02)
        assert abs(values).max() > 0.3
    dense = np.asarray(model.get_layer("fc").kernel)
    assert abs(dense).max() == pytest.approx((2 * 2 * 512) ** -0.5, rel=0.01)


def test_dropout_stands_before_the_dense_layer():
    model = IResNet(depth=18, input_shape=(16, 16, 3), dropout=0.4)
    assert model.get_layer("dropout").rate == 0.4
    assert model.get_layer("dropout").input is model.get_layer("bn2").output
    assert model.get_layer("fc").input is model.get_layer("flatten").output


def test_squeeze_excitation_weights_channels_before_the_addition(rng):
    name, arguments = SMALL["iresnet18-se"]
    model = backbones.get(name, **arguments)
    plain = backbones.get("iresnet18", **SMALL["iresnet18"][1])
    # Two convolutions with biases and a PReLU a block, through a sixteenth of the channels.
    extra = sum(2 * (2 * c * (c // 16) + c + 2 * (c // 16)) for c in (64, 128, 256, 512))
    assert count(model) - count(plain) == extra
    parts = ["bn3", "se_conv1", "se_conv2", "se"]
    first, second = (model.get_layer(f"layer3_1_{part}") for part in parts[1:3])
    settle(model, rng.normal(size=(8, 32, 32, 3)))
    # Gates all over their range, not half open as at the start.
    second.set_weights([rng.normal(scale=3.0, size=weight.shape) for weight in second.get_weights()])
    outputs = [model.get_layer(f"layer3_1_{part}").output for part in parts]
    x = rng.normal(size=(2, 32, 32, 3)).astype(np.float32)
    maps, narrow, wide, weighted = (np.asarray(y) for y in keras.Model(model.input, outputs)(x))
    expected = maps.mean((1, 2), keepdims=True) @ np.asarray(first.kernel)[0, 0]
    np.testing.assert_allclose(narrow, expected, rtol=1e-3, atol=1e-3)
    expected = np.where(narrow > 0, narrow, 0.25 * narrow) @ np.asarray(second.kernel)[0, 0] + np.asarray(second.bias)
    np.testing.assert_allclose(wide, expected, rtol=1e-3, atol=1e-3)
    assert np.ptp(1 / (1 + np.exp(-wide))) > 0.8
    np.testing.assert_allclose(weighted, maps / (1 + np.exp(-wide)), rtol=1e-3, atol=1e-4)
    assert model.get_layer("layer3_1_add").input[1] is outputs[-1]


@pytest.mark.parametrize("depth", [20, "50"])
def test_an_unknown_depth_lists_those_there_are(depth):
    with pytest.raises(ValueError, match=r"depth must be one of \[18, 34, 50, 100, 200\]. Received: depth="):
        IResNet(depth=depth)


def test_the_name_settles_the_depth():
    with pytest.raises(ValueError, match=r"iresnet50 has {'depth': 50}: leave that out. Received: {'depth': 18}"):
        backbones.get("iresnet50", depth=18)
