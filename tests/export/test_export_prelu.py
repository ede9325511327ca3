import keras
import numpy as np
import pytest

from kerasface import KerasfaceError
from kerasface.export import SlopedMaximum, natural_images, strip, without_prelu
from kerasface.export.equalization import equalize
from tests.export.samples import SIZE, small_backbone, spec_of


def chain(*, bias=False, norm=True, after="depthwise", padding=True, shared=(1, 2)):
    """Convolution, PReLU with slopes from -3 to 3, and a linear layer behind."""
    layers = keras.layers
    keras.utils.set_random_seed(1)
    x = images = keras.Input((SIZE, SIZE, 3))
    x = layers.Conv2D(8, 3, strides=2, use_bias=bias, bias_initializer="normal", name="first")(x)
    if norm:
        x = layers.BatchNormalization(name="norm")(x)
    x = activated = layers.PReLU(shared_axes=shared, name="activation")(x)
    if padding:
        x = layers.ZeroPadding2D(1)(x)
    if after == "depthwise":
        x = layers.DepthwiseConv2D(3, use_bias=False, depth_multiplier=2, name="behind")(x)
    elif after == "convolution":
        x = layers.Conv2D(5, 1, bias_initializer="normal", name="behind")(x)
    elif after == "shortcut":
        x = layers.Add(name="shortcut")([layers.Conv2D(8, 3, padding="same")(activated), activated])
    backbone = keras.Model(images, layers.Flatten()(layers.Dense(4)(layers.Flatten()(x))))
    rng = np.random.default_rng(2)
    backbone.get_layer("activation").alpha.assign(
        np.broadcast_to(np.linspace(-3, 3, 8), backbone.get_layer("activation").alpha.shape)
    )
    if norm:
        backbone.get_layer("norm").set_weights([rng.uniform(0.5, 1.5, 8), rng.normal(size=8), *[np.ones(8)] * 2])
    return backbone


@pytest.fixture(scope="module")
def pixels():
    return np.random.default_rng(0).normal(size=(4, SIZE, SIZE, 3)).astype("float32")


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"after": "convolution"},
        {"norm": False},
        {"norm": False, "bias": True, "after": "convolution", "padding": False},
    ],
    ids=["norm, padding, depthwise", "norm, convolution", "no norm", "bias"],
)
def test_the_rewrite_is_exact_for_every_slope(pixels, options):
    backbone = chain(**options)
    rewritten = without_prelu(backbone)
    kinds = {type(layer) for layer in rewritten.layers}
    assert SlopedMaximum in kinds
    assert keras.layers.PReLU not in kinds
    assert np.max(rewritten.get_layer("activation").alpha) <= 1
    np.testing.assert_allclose(rewritten(pixels), backbone(pixels), rtol=1e-4, atol=1e-5)


def test_the_given_backbone_keeps_its_weights(pixels):
    backbone = chain()
    before = [weight.copy() for weight in backbone.get_weights()]
    without_prelu(backbone)
    for was, weight in zip(before, backbone.get_weights(), strict=True):
        np.testing.assert_array_equal(was, weight)


def test_a_steep_slope_before_a_shortcut_is_refused_by_name():
    with pytest.raises(KerasfaceError, match=r"activation has steeper ones, and shortcut beside.*a up to 3 in"):
        without_prelu(chain(after="shortcut"))


def test_gentle_slopes_before_a_shortcut_pass(pixels):
    backbone = small_backbone()
    np.testing.assert_allclose(without_prelu(backbone)(pixels), backbone(pixels), rtol=1e-4, atol=1e-5)


def test_a_slope_for_each_place_is_refused_by_name():
    with pytest.raises(KerasfaceError, match="activation has one for each place"):
        without_prelu(chain(shared=None))


def test_equalized_channels_reach_equally_far_and_embed_the_same():
    backbone = chain()
    rewritten = without_prelu(backbone)
    spec = spec_of(backbone, embedding_size=4)
    embedder, images = strip(rewritten, spec), natural_images(64, height=SIZE, width=SIZE, seed=4)
    expected = embedder.predict(images, verbose=0)
    activation = rewritten.get_layer("activation")
    watched = keras.Model(rewritten.input, [activation.input, activation.output])

    def reach():
        x = (images.astype("float32") - 127.5) / 127.5
        before, after = (np.abs(np.asarray(y)).max(axis=(0, 1, 2)) for y in watched(x))
        return np.maximum(before, after)

    assert reach().max() > 1.5 * reach().min()
    equalize(embedder, images)
    np.testing.assert_allclose(reach(), reach().mean(), rtol=1e-4)
    np.testing.assert_allclose(embedder.predict(images, verbose=0), expected, atol=1e-5)


def test_before_a_convolution_range_and_weights_are_balanced():
    rewritten = without_prelu(chain(after="convolution"))
    images = natural_images(64, height=SIZE, width=SIZE, seed=4)
    spec = spec_of(rewritten, embedding_size=4)
    equalize(strip(rewritten, spec), images)
    activation, behind = rewritten.get_layer("activation"), rewritten.get_layer("behind")
    watched = keras.Model(rewritten.input, [activation.input, activation.output])
    x = (images.astype("float32") - 127.5) / 127.5
    reach = np.maximum(*(np.abs(np.asarray(y)).max(axis=(0, 1, 2)) for y in watched(x)))
    ratio = reach / np.abs(np.asarray(behind.kernel)).max(axis=(0, 1, 3))
    np.testing.assert_allclose(ratio, ratio.mean(), rtol=1e-4)
