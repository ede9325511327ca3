"""GhostFaceNet: the authors' counts, and ghost modules, attention and shortcuts rebuilt in NumPy."""

import keras
import numpy as np
import pytest

from kerasface import backbones
from kerasface.backbones import GhostFaceNet
from tests.backbones.networks import SMALL, settle

# As the authors' Flops.ipynb prints them for V2, and the paper's table in millions; both at width 1.3 and stride 1.
V2_TRAINED, V2_ALL = 6_795_720, 6_880_288
V1_ALL = "4.09"


@pytest.fixture(scope="module")
def network():
    name, arguments = SMALL["ghostfacenetv2"]
    model = backbones.get(name, **arguments)
    settle(model, np.random.default_rng(0).normal(size=(4, 32, 32, 3)))
    return model


@pytest.fixture
def values(network, rng):
    """The outputs of layers for one image, from the input of the first."""
    x = rng.normal(size=(1, 32, 32, 3)).astype(np.float32)

    def of(*tensors):
        return [np.asarray(y) for y in keras.Model(network.input, list(tensors))(x)]

    return of


def trained(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)


def test_v2_has_the_authors_parameters():
    model = backbones.get("ghostfacenetv2", width=1.3)
    assert (trained(model), model.count_params()) == (V2_TRAINED, V2_ALL)
    assert (model.name, model.output_shape) == ("ghostfacenetv2", (None, 512))
    assert model.get_layer("global").kernel.shape == (7, 7, 1248, 1)


def test_v1_has_the_papers_parameters():
    model = backbones.get("ghostfacenetv1", width=1.3)
    assert f"{model.count_params() / 1e6:.2f}" == V1_ALL
    assert model.get_layer("global").kernel.shape == (7, 7, 664, 1)
    assert model.get_layer("embedding").use_bias


@pytest.mark.parametrize("version", [1, 2])
def test_strides_shrink_the_maps_and_nothing_else(version):
    near, far = (GhostFaceNet(version=version, width=0.25, strides=strides) for strides in (1, 2))
    assert [model.get_layer("global").kernel.shape[:2] for model in (near, far)] == [(7, 7), (4, 4)]
    bias = 512 if version == 1 else 0
    channels = near.get_layer("global").kernel.shape[2]
    assert trained(near) - trained(far) == (7 * 7 - 4 * 4) * channels + bias


def test_channels_are_multiples_of_4():
    model = backbones.get("ghostfacenetv1", width=1.3, strides=2)
    expected = {"stem": 20, "block2_add": 32, "block4_add": 52, "block10_add": 144, "block16_add": 208, "last": 664}
    assert {name: model.get_layer(name).output.shape[-1] for name in expected} == expected
    assert model.get_layer("block5_se_conv1").filters == 40  # a quarter of 156, 39, to a multiple of 4
    narrow = GhostFaceNet(width=0.5, input_shape=(32, 32, 3))
    assert narrow.get_layer("block4_se_conv1").filters == 12  # a quarter of 36, 9; 8 would be more than a tenth less


def test_a_ghost_module_keeps_what_it_computed_and_filters_it(network, values):
    primary = network.get_layer("block3_expand_primary_prelu").output
    cheap = network.get_layer("block3_expand_cheap")
    ghosts = network.get_layer("block3_expand_cheap_prelu").output
    whole = network.get_layer("block3_expand_concatenate").output
    own, filtered, made, both = values(primary, cheap.output, ghosts, whole)
    np.testing.assert_array_equal(both, np.concatenate([own, made], axis=-1))
    kernel, padded = np.asarray(cheap.kernel)[..., 0], np.pad(own, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, columns = own.shape[1:3]
    taps = [kernel[i, j] * padded[:, i : i + rows, j : j + columns] for i in range(3) for j in range(3)]
    np.testing.assert_allclose(filtered, sum(taps), rtol=1e-4, atol=1e-5)


def test_the_second_ghost_module_is_linear(network):
    assert not [layer.name for layer in network.layers if "project" in layer.name and "prelu" in layer.name]


def test_attention_gates_the_first_ghost_module(network, values):
    before, gate, after = values(
        network.get_layer("block4_expand_concatenate").output,
        network.get_layer("block4_attention_gate").output,
        network.get_layer("block4_attend").output,
    )
    assert (gate > 0).all()
    assert (gate < 1).all()
    rows, columns = before.shape[1:3]
    assert gate.shape[1:3] == (rows // 2, columns // 2)
    ratio = after / before
    # Bilinear: the corners are the gate's own, and everything stays within its range.
    np.testing.assert_allclose(ratio[:, 0, 0], gate[:, 0, 0], rtol=1e-3)
    np.testing.assert_allclose(ratio[:, -1, -1], gate[:, -1, -1], rtol=1e-3)
    assert (ratio <= gate.max((1, 2), keepdims=True) * 1.001).all()
    kernels = [network.get_layer(f"block4_attention_{name}").kernel.shape[:2] for name in ("rows", "columns")]
    assert kernels == [(1, 5), (5, 1)]


def test_v1_and_the_first_two_bottlenecks_of_v2_have_no_attention(network):
    gated = {layer.name.split("_")[0] for layer in network.layers if "attention" in layer.name}
    assert gated == {f"block{number}" for number in range(3, 17)}
    name, arguments = SMALL["ghostfacenetv1"]
    assert not [layer.name for layer in backbones.get(name, **arguments).layers if "attention" in layer.name]


def test_shortcuts_are_plain_where_the_shape_stays(network):
    changed = {layer.name for layer in network.layers if layer.name.endswith("_shortcut")}
    # Where the stride is 2 or the channels change; width .25 makes 4, 8, 12, 20, 28 and 40 of them.
    assert changed == {f"block{number}_shortcut" for number in (2, 4, 6, 10, 12)}
    assert network.get_layer("block3_add").input[0] is network.get_layer("block2_add").output


def test_excitation_is_where_ghostnet_has_it(network):
    excited = {layer.name for layer in network.layers if layer.name.endswith("_se")}
    assert excited == {f"block{number}_se" for number in (4, 5, 10, 11, 12, 14, 16)}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"version": 3}, "version must be 1 or 2. Received: version=3"),
        ({"strides": 4}, "strides must be 1 or 2. Received: strides=4"),
        ({"width": 0}, "width must be positive. Received: width=0"),
        ({"strides": 2, "input_shape": (112, 24, 3)}, "height and width at least 32"),
        ({"version": 2, "strides": 2, "input_shape": (48, 112, 3)}, "height and width at least 64"),
    ],
)
def test_what_the_paper_does_not_have_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        GhostFaceNet(**arguments)
