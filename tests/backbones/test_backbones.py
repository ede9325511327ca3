"""Backbones: the published parameter counts, padding, initial weights, and that configs and files bring them back."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasface import backbones
from kerasface.backbones import MobileFaceNet, SphereFaceNet
from kerasface.backbones.blocks import convolution, depthwise, scaled_channels
from tests.backbones.networks import DIMENSION, SMALL

# Millions of trainable parameters as the originals print them: depth → (112×96, 112×112).
SPHEREFACE = {4: (12.56, 14.40), 10: (15.22, 17.05), 20: (22.67, 24.50), 36: (32.77, 34.61), 64: (48.19, 50.02)}
MOBILEFACENET = {128: "1.003", 512: "1.20"}


def millions(model):
    return sum(int(np.prod(weight.shape)) for weight in model.trainable_weights) / 1e6


@pytest.mark.parametrize("dimension", MOBILEFACENET)
def test_mobilefacenet_has_the_papers_parameters(dimension):
    model = MobileFaceNet(embedding_dim=dimension)
    printed = MOBILEFACENET[dimension]
    assert f"{millions(model):.{len(printed) - 2}f}" == printed
    assert (model.input_shape, model.output_shape) == ((None, 112, 112, 3), (None, dimension))
    if dimension == 128:
        assert round(model.count_params() / 1e6, 3) == 1.023  # with batch norm's moving statistics


@pytest.mark.parametrize("depth", SPHEREFACE)
def test_spherefacenet_has_the_papers_parameters(depth):
    narrow, square = SPHEREFACE[depth]
    model = SphereFaceNet(depth=depth)
    assert (model.input_shape, model.output_shape) == ((None, 112, 96, 3), (None, 512))
    assert round(millions(model), 2) == narrow
    # Only the dense layer sees the input's size: 512 channels at a sixteenth of it.
    assert model.get_layer("embedding").kernel.shape == (7 * 6 * 512, 512)
    assert round(millions(model) + (7 * 7 - 7 * 6) * 512 * 512 / 1e6, 2) == square


def test_spherefacenet_takes_square_input():
    model = SphereFaceNet(depth=4, input_shape=(112, 112, 3))
    assert round(millions(model), 2) == SPHEREFACE[4][1]
    assert model(np.zeros((2, 112, 112, 3), np.float32)).shape == (2, 512)


def test_mobilefacenet_takes_narrow_input():
    model = MobileFaceNet(input_shape=(112, 96, 3), width=0.25)
    assert model.get_layer("global").kernel.shape[:2] == (7, 6)
    assert model(np.zeros((2, 112, 96, 3), np.float32)).shape == (2, 128)


def small(label, **options):
    name, arguments = SMALL[label]
    return backbones.get(name, **arguments, **options)


def padded_by_one(images, kernel):
    """A 3×3 convolution of stride 2 with one row and column of zeros on every side, multiply by multiply."""
    padded = np.pad(images, ((0, 0), (1, 1), (1, 1), (0, 0)))
    rows, columns = (images.shape[1] + 1) // 2, (images.shape[2] + 1) // 2
    result = np.empty((len(images), rows, columns, kernel.shape[-1]))
    for row in range(rows):
        for column in range(columns):
            window = padded[:, 2 * row : 2 * row + 3, 2 * column : 2 * column + 3]
            result[:, row, column] = np.einsum("nhwc,hwcd->nd", window, kernel)
    return result


@pytest.mark.parametrize("size", [(8, 8), (7, 9), (8, 7)])
def test_stride_2_pads_every_side(size, rng):
    images = rng.normal(size=(2, *size, 3)).astype(np.float32)
    x = keras.Input((*size, 3))
    full = keras.Model(x, convolution(x, 4, 3, strides=2, name="full"))
    by_channel = keras.Model(x, depthwise(x, 3, strides=2, name="by_channel"))

    expected = padded_by_one(images, np.asarray(full.get_layer("full").kernel))
    np.testing.assert_allclose(np.asarray(full(images)), expected, rtol=1e-4, atol=1e-5)

    kernel = np.asarray(by_channel.get_layer("by_channel").kernel)[..., 0]  # (3, 3, C)
    expected = padded_by_one(images, kernel[..., None] * np.eye(3))
    np.testing.assert_allclose(np.asarray(by_channel(images)), expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("model", "layers"),
    [
        (lambda: MobileFaceNet(**SMALL["mobilefacenet"][1]), ["stem"]),
        (lambda: SphereFaceNet(**SMALL["spherefacenet"][1]), ["stage1", "stage2", "stage3", "stage4"]),
    ],
)
def test_networks_pad_their_stride_2_layers_so(model, layers, rng):
    model = model()
    x = rng.normal(size=(1, *model.input_shape[1:])).astype(np.float32)
    for name in layers:
        layer = model.get_layer(name)
        before = model.get_layer(f"{name}_pad").input
        given, found = (np.asarray(part) for part in keras.Model(model.input, [before, layer.output])(x))
        expected = padded_by_one(given, np.asarray(layer.kernel)) + (np.asarray(layer.bias) if layer.use_bias else 0)
        np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("label", [label for label in SMALL if label != "vit_tiny"])
def test_prelu_starts_at_a_quarter_for_each_channel(label):
    slopes = [layer for layer in small(label).layers if isinstance(layer, keras.layers.PReLU)]
    assert slopes
    for layer in slopes:
        assert layer.alpha.shape == (1, 1, layer.input.shape[-1])
        np.testing.assert_array_equal(np.asarray(layer.alpha), 0.25)


def test_spherefacenet_starts_as_the_authors_prototxt():
    model = SphereFaceNet(depth=20)
    assert not any(isinstance(layer, keras.layers.BatchNormalization) for layer in model.layers)
    residual = [layer for layer in model.layers if "_conv" in layer.name and not layer.name.endswith("_pad")]
    assert len(residual) == 2 * (1 + 2 + 4 + 1)
    for layer in residual:
        assert layer.bias is None
        values = np.asarray(layer.kernel)
        assert values.std() == pytest.approx(0.01, rel=0.02)
        assert abs(values).max() > 0.03  # a normal distribution has tails, a uniform one of this std ends at .0173
    for layer in [*(model.get_layer(f"stage{stage}") for stage in (1, 2, 3, 4)), model.get_layer("embedding")]:
        assert layer.bias is not None
        fan_in = np.prod(layer.kernel.shape[:-1])
        values = np.asarray(layer.kernel)
        assert abs(values).max() == pytest.approx(np.sqrt(3 / fan_in), rel=0.02)
        assert values.std() == pytest.approx(np.sqrt(1 / fan_in), rel=0.05)


def test_spherefacenet_adds_after_the_second_prelu(rng):
    model = SphereFaceNet(**SMALL["spherefacenet"][1])
    unit = [model.get_layer(f"stage2_unit1_{part}").output for part in ("prelu2", "add")]
    skip = model.get_layer("stage2_prelu").output
    x = rng.normal(size=(1, 32, 24, 3)).astype(np.float32)
    inner, total, before = (np.asarray(part) for part in keras.Model(model.input, [*unit, skip])(x))
    np.testing.assert_array_equal(total, inner + before)


def test_spherefacenet_embeds_linearly():
    assert SphereFaceNet(**SMALL["spherefacenet"][1]).get_layer("embedding").activation is keras.activations.linear


@pytest.mark.parametrize("depth", [0, 18, "20"])
def test_an_unknown_depth_lists_those_there_are(depth):
    with pytest.raises(ValueError, match=r"depth must be one of \[4, 10, 20, 36, 64\]. Received: depth="):
        SphereFaceNet(depth=depth)


@pytest.mark.parametrize("width", [0.3, 1.3])
def test_width_gives_multiples_of_8(width):
    model = MobileFaceNet(input_shape=(32, 32, 3), width=width, embedding_dim=20)
    channels = {layer.output.shape[-1] for layer in model.layers if "embedding" not in layer.name}
    assert all(count % 8 == 0 for count in channels - {3, 20})
    for name, count in (("stem", 64), ("stage1_block5_project", 64), ("stage5_block2_project", 128), ("last", 512)):
        found = model.get_layer(name).output.shape[-1]
        assert abs(found - width * count) <= 4, name
    assert model.output_shape == (None, 20)


@pytest.mark.parametrize(("width", "expected"), [(0.5, 32), (0.25, 16), (0.05, 8), (0.1875, 16), (2, 128)])
def test_scaled_channels_round_to_8(width, expected):
    assert scaled_channels(64, width) == expected


def test_width_must_be_positive():
    with pytest.raises(ValueError, match="width must be positive. Received: width=0"):
        MobileFaceNet(width=0)


@pytest.mark.parametrize("label", SMALL)
@pytest.mark.parametrize("dtype", [None, "mixed_float16"])
def test_config_brings_the_network_back(label, dtype):
    model = small(label, dtype=dtype, name="of_its_own")
    config = keras.saving.serialize_keras_object(model)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(model)
    assert again.name == "of_its_own"
    assert keras.saving.serialize_keras_object(again) == config
    assert [w.shape for w in again.weights] == [w.shape for w in model.weights]
    assert {layer.compute_dtype for layer in again.layers[1:]} == {"float16" if dtype else "float32"}


@pytest.mark.parametrize("label", SMALL)
def test_a_saved_network_embeds_alike(label, tmp_path, rng):
    model = small(label)
    images = rng.normal(size=(2, *model.input_shape[1:])).astype(np.float32)
    expected = np.asarray(model(images))
    assert expected.shape == (2, DIMENSION)
    model.save(tmp_path / "net.keras")
    np.testing.assert_array_equal(np.asarray(keras.saving.load_model(tmp_path / "net.keras")(images)), expected)
    model.save_weights(tmp_path / "net.weights.h5")
    other = small(label)
    assert np.abs(np.asarray(other(images)) - expected).max() > 0
    other.load_weights(tmp_path / "net.weights.h5")
    np.testing.assert_array_equal(np.asarray(other(images)), expected)


def test_padding_same_is_tensorflows(rng):
    model = MobileFaceNet(**SMALL["mobilefacenet"][1], padding="same")
    x = rng.normal(size=(1, 32, 32, 3)).astype(np.float32)
    stem = model.get_layer("stem")
    expected = tf.nn.conv2d(x, stem.kernel, strides=2, padding="SAME")
    np.testing.assert_allclose(keras.Model(model.input, stem.output)(x), expected, atol=1e-5)
    assert not [layer.name for layer in model.layers if isinstance(layer, keras.layers.ZeroPadding2D)]
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    assert again.get_config() == model.get_config()
    with pytest.raises(ValueError, match="padding='valid'"):
        MobileFaceNet(padding="valid")


@pytest.mark.parametrize("shape", [(16, 12, 3), (112, 112), (112, None, 3), (112, 112.0, 3), (0, 112, 3)])
@pytest.mark.parametrize("name", ["ghostfacenetv1", "iresnet18", "mbf", "micro", "mobilefacenet", "spherefacenet"])
def test_an_input_that_no_map_would_be_left_of_is_refused(name, shape):
    with pytest.raises(ValueError, match=r"height and width at least 16. Received: input_shape=\("):
        backbones.get(name, input_shape=shape)


@pytest.mark.parametrize("label", SMALL)
def test_depthwise_kernels_start_by_their_own_fan_in(label):
    found = [layer for layer in small(label).layers if isinstance(layer, keras.layers.DepthwiseConv2D)]
    for layer in found:
        height, width, channels, _ = layer.kernel.shape
        spread = np.asarray(layer.kernel).std()
        # Five standard errors of a standard deviation.
        tolerance = 5 / (2 * height * width * channels) ** 0.5
        assert spread == pytest.approx((2 / (height * width)) ** 0.5, rel=tolerance), layer.name
    assert bool(found) == (label not in ("iresnet18", "iresnet18-se", "spherefacenet"))


@pytest.mark.parametrize("size", [(112, 96), (160, 160)])
@pytest.mark.parametrize("label", SMALL)
def test_every_network_takes_the_usual_sizes(label, size):
    name, arguments = SMALL[label]
    model = backbones.get(name, **{**arguments, "input_shape": [*size, 3], "embedding_dim": 20})
    assert (model.input_shape, model.output_shape) == ((None, *size, 3), (None, 20))


def test_spherefacenets_width_scales_its_stages():
    model = SphereFaceNet(depth=10, input_shape=(32, 32, 3), width=0.3)
    channels = [model.get_layer(f"stage{stage}_prelu").output.shape[-1] for stage in (1, 2, 3, 4)]
    assert channels == [16, 40, 80, 152]
    assert model.get_layer("stage3_unit2_add").output.shape[-1] == 80
    assert model.output_shape == (None, 512)
    with pytest.raises(ValueError, match="width must be positive. Received: width=-1"):
        SphereFaceNet(width=-1)


def test_names_are_the_recipes():
    expected = ["ghostfacenetv1", "ghostfacenetv2", *(f"iresnet{depth}" for depth in (100, 18, 200, 34, 50))]
    assert backbones.names() == [*expected, "mbf", "micro", "mobilefacenet", "spherefacenet", "vit_tiny"]
    with pytest.raises(ValueError, match="unknown backbone; expected one of ghostfacenetv1, .*, vit_tiny. Received"):
        backbones.get("resnet")
