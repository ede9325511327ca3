"""mbf: insightface's count and names, and the grouped convolution of its stem against PyTorch's."""

import numpy as np
import pytest
import torch

from kerasface import backbones
from tests.backbones.networks import SMALL


@pytest.fixture(scope="module")
def network():
    name, arguments = SMALL["mbf"]
    return backbones.get(name, **arguments)


def test_has_insightfaces_parameters():
    model = backbones.get("mbf")
    assert sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) == 2_059_520
    assert (model.input_shape, model.output_shape) == ((None, 112, 112, 3), (None, 512))


def test_is_named_as_arcface_torchs_state_dict(network):
    unit = [f"layers_{part}" for part in (0, 1, 2)]
    block = [f"{outer}_{inner}" for outer in unit for inner in unit if (outer, inner) != ("layers_2", "layers_2")]
    expected = {f"{stem}_{part}" for stem in ("layers_0", "layers_1", "conv_sep") for part in unit}
    for index, repeats in ((2, 0), (3, 4), (4, 0), (5, 6), (6, 0), (7, 2)):
        owners = [f"layers_{index}_layers_{one}" for one in range(repeats)] or [f"layers_{index}"]
        expected |= {f"{owner}_{part}" for owner in owners for part in block}
    expected |= {f"features_layers_{part}" for part in ("0_layers_0", "0_layers_1", "2", "3")}
    assert {layer.name for layer in network.layers if layer.weights} == expected


def test_expansions_are_the_papers_and_only_the_blocks_are_doubled(network):
    def channels(name):
        return network.get_layer(name).output.shape[-1]

    expanded = ["layers_2", "layers_3_layers_0", "layers_4", "layers_5_layers_5", "layers_6", "layers_7_layers_1"]
    assert [channels(f"{name}_layers_0_layers_0") for name in expanded] == [128, 128, 256, 256, 512, 256]
    assert [channels(f"{name}_layers_2_layers_0") for name in expanded] == [128, 128, 256, 256, 256, 256]
    assert (channels("layers_0_layers_0"), channels("conv_sep_layers_0")) == (128, 512)


def test_the_stems_grouped_convolution_is_pytorchs(network, rng):
    layer = network.get_layer("layers_1_layers_0")
    assert layer.kernel.shape == (3, 3, 2, 128)
    x = rng.normal(size=(2, 8, 8, 128)).astype(np.float32)
    ours = torch.nn.Conv2d(128, 128, 3, padding=1, groups=64, bias=False)
    ours.weight.data = torch.from_numpy(np.transpose(np.asarray(layer.kernel), (3, 2, 0, 1)).copy())
    expected = ours(torch.from_numpy(x).permute(0, 3, 1, 2)).detach().permute(0, 2, 3, 1).numpy()
    np.testing.assert_allclose(np.asarray(layer(x)), expected, rtol=1e-4, atol=1e-5)
