"""ViTTiny: its size, its patches, and a block against PyTorch's own transformer layer."""

import keras
import numpy as np
import pytest
import torch

from kerasface import backbones
from kerasface.backbones import ViTTiny
from tests.backbones.networks import SIZE, SMALL

TOKENS = (SIZE // 8) ** 2


@pytest.fixture(scope="module")
def network():
    name, arguments = SMALL["vit_tiny"]
    return backbones.get(name, **arguments)


def test_has_the_usual_tiny_size():
    model = ViTTiny()
    names = [layer.name for layer in model.layers if layer.name.endswith("_mlp_add")]
    assert names == [f"block{number}_mlp_add" for number in range(1, 13)]
    trained = sum(int(np.prod(weight.shape)) for weight in model.trainable_weights)
    width, patches = 192, 14 * 14
    block = 4 * (width * width + width) + 2 * 4 * width * width + 5 * width + 2 * 2 * width
    ending = 2 * width + patches * width + 2 * width + 512 * width + 2 * 512
    assert trained == 8 * 8 * 3 * width + width + patches * width + 12 * block + ending
    assert model.output_shape == (None, 512)


def test_a_token_is_a_patch_and_its_place(network, rng):
    x = rng.normal(size=(1, SIZE, SIZE, 3)).astype(np.float32)
    patches, places = network.get_layer("patches"), network.get_layer("places")
    tokens = np.asarray(keras.Model(network.input, places.output)(x))[0]
    cut = x[0].reshape(SIZE // 8, 8, SIZE // 8, 8, 3).swapaxes(1, 2).reshape(TOKENS, -1)
    expected = cut @ np.asarray(patches.kernel).reshape(8 * 8 * 3, -1) + np.asarray(patches.bias)
    np.testing.assert_allclose(tokens, expected + np.asarray(places.table), rtol=1e-4, atol=1e-5)


def test_a_block_is_pytorchs(network, rng):
    width, heads = 192, 3
    theirs = torch.nn.TransformerEncoderLayer(
        width, heads, 4 * width, dropout=0.0, activation=torch.nn.functional.relu6, norm_first=True, batch_first=True
    )
    layers = {part: network.get_layer(f"block1_{part}") for part in ("attention", "mlp_expand", "mlp_project")}
    # Weights large enough to bend the softmax and to reach the 6 of ReLU6.
    for layer in layers.values():
        layer.set_weights([rng.normal(scale=0.3, size=weight.shape) for weight in layer.get_weights()])
    query, query_bias, key, key_bias, value, value_bias, out, out_bias = layers["attention"].get_weights()
    flat = [part.reshape(width, width).T for part in (query, key, value)]
    state = {
        "self_attn.in_proj_weight": np.concatenate(flat),
        "self_attn.in_proj_bias": np.concatenate([query_bias, key_bias, value_bias]).reshape(-1),
        "self_attn.out_proj.weight": out.reshape(width, width).T,
        "self_attn.out_proj.bias": out_bias,
    }
    for ours, name in (("mlp_expand", "linear1"), ("mlp_project", "linear2")):
        kernel, bias = layers[ours].get_weights()
        state |= {f"{name}.weight": kernel.T, f"{name}.bias": bias}
    missing = theirs.load_state_dict(
        {name: torch.from_numpy(np.ascontiguousarray(a)) for name, a in state.items()}, False
    )
    assert all(name.startswith("norm") for name in missing.missing_keys)
    given = network.get_layer("places").output
    x = rng.normal(size=(2, SIZE, SIZE, 3)).astype(np.float32)
    tokens, found = keras.Model(network.input, [given, network.get_layer("block1_mlp_add").output])(x)
    expected = theirs.eval()(torch.from_numpy(np.array(tokens))).detach().numpy()
    np.testing.assert_allclose(np.asarray(found), expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("shape", [(112, 100, 3), (108, 112, 3), (0, 112, 3)])
def test_patches_must_fill_the_image(shape):
    with pytest.raises(ValueError, match="at least 8 and multiples of 8. Received: input_shape="):
        ViTTiny(input_shape=shape)
