"""MicroFaceNet: its budget, and where excitation and shortcuts lie."""

import keras
import numpy as np
import pytest

from kerasface import backbones
from tests.backbones.networks import SMALL


@pytest.fixture(scope="module")
def network():
    name, arguments = SMALL["micro"]
    return backbones.get(name, **arguments)


def test_all_it_stores_is_below_half_a_million_numbers():
    model = backbones.get("micro")
    assert (model.input_shape, model.output_shape) == ((None, 112, 112, 3), (None, 128))
    assert model.count_params() <= 500_000
    assert model.get_layer("global").kernel.shape == (7, 7, 384, 1)


def test_maps_shrink_as_mobilefacenets(network):
    sizes = {name: network.get_layer(name).output.shape[1] for name in ("stem", "stage1_block1_project", "last")}
    assert sizes == {"stem": 16, "stage1_block1_project": 16, "last": 2}
    strided = [layer.name for layer in network.layers if getattr(layer, "strides", (1, 1)) == (2, 2)]
    assert strided == ["stem", *(f"stage{stage}_block1_depthwise" for stage in (2, 4, 6))]


def test_excitation_and_large_kernels_are_deep(network):
    kernels = [layer for layer in network.layers if layer.name.endswith("_depthwise")]
    excited = {layer.name.removesuffix("_se") for layer in network.layers if layer.name.endswith("_se")}
    assert excited == {layer.name.removesuffix("_depthwise") for layer in kernels if layer.kernel.shape[0] == 5}
    assert {name[:6] for name in excited} == {"stage4", "stage5", "stage6", "stage7"}


def test_the_gate_is_a_hard_sigmoid_of_the_mean(network, rng):
    parts = ["depthwise_prelu", "se_conv2", "se"]
    outputs = [network.get_layer(f"stage5_block2_{part}").output for part in parts]
    x = rng.normal(size=(2, 32, 32, 3)).astype(np.float32)
    maps, raw, weighted = (np.asarray(y) for y in keras.Model(network.input, outputs)(x))
    gate = np.clip(raw + 3, 0, 6) / 6
    np.testing.assert_allclose(weighted, maps * gate, rtol=1e-4, atol=1e-6)
    narrow = network.get_layer("stage5_block2_se_conv1")
    assert narrow.filters == maps.shape[-1] / 8 + 4  # 20 to a multiple of 8


def test_blocks_that_keep_their_shape_add_their_input(network):
    added = [layer.name for layer in network.layers if layer.name.endswith("_add")]
    expected = [(1, 1), *((3, b) for b in (1, 2)), *((5, b) for b in range(1, 7)), *((7, b) for b in (1, 2))]
    assert added == [f"stage{stage}_block{block}_add" for stage, block in expected]
    assert network.get_layer("stage5_block2_add").input[0] is network.get_layer("stage5_block1_add").output
