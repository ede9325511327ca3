"""What is special about SphereFace2: where its bias starts, and binary losses that stay exact far out."""

import numpy as np
import pytest

from kerasface.heads import SphereFace2
from tests.heads import reference
from tests.heads.autodiff import array, losses_and_gradients

SETTING = {"scale": 40, "m": 0.4, "t": 3, "balance": 0.7}


def at_right_angles(classes, **options):
    """A head whose prototypes are axes, and an embedding of each class along one more axis: all cosines are 0."""
    head = SphereFace2(classes, dtype="float64", **options)
    head.build((None, classes + 1))
    head.prototypes.assign(np.eye(classes, classes + 1))
    return head, np.tile(np.eye(classes + 1)[-1:], (classes, 1)), np.arange(classes)


def test_bias_is_the_authors_for_casia_webface():
    head = SphereFace2(10_572)
    head.build((None, 4))
    assert float(array(head.bias)) == pytest.approx(5.58, abs=0.005)


@pytest.mark.parametrize(
    ("classes", "options"),
    [
        (2, {}),
        (2, {"scale": 64.0}),
        (4, {}),
        (30, {}),
        (1000, {}),
        (30, {"balance": 0.5, "t": 1.0, "margin": 0.2, "scale": 10.0}),
    ],
)
def test_bias_starts_where_the_expected_loss_is_smallest(classes, options):
    # Losses of random directions, by their formula, over a dense grid of biases.
    head = SphereFace2(classes, **options)
    g = 2 * 0.5**head.t - 1
    bias = np.linspace(-80, 80, 1_600_001)
    own = head.balance * np.logaddexp(0, -(head.scale * (g - head.margin) + bias))
    others = (1 - head.balance) * (classes - 1) * np.logaddexp(0, head.scale * (g + head.margin) + bias)
    assert head.starting_bias() == pytest.approx(bias[np.argmin(own + others)], abs=2e-3)


def test_an_untrained_bias_has_no_gradient(float64):
    head, x, labels = at_right_angles(30)
    _, _, (_, by_bias) = losses_and_gradients(head, x, labels)
    assert abs(by_bias) < 1e-4
    head.bias.assign(0.0)
    assert losses_and_gradients(head, x, labels)[2][1] < -1.0


@pytest.mark.parametrize("bias", [1e4, -1e4])
def test_losses_are_linear_far_out(bias, rng):
    x, prototypes, labels = rng.normal(size=(6, 8)), rng.normal(size=(5, 8)), rng.integers(0, 5, 6)
    head = SphereFace2(5, loss_weight=1.0)
    head.build((None, 8))
    head.prototypes.assign(prototypes)
    head.bias.assign(bias)
    values = reference.logits("sphereface2", x, prototypes, labels, b=bias, **SETTING)
    own = values[np.arange(6), labels]
    # log(1 + e^z) is z or 0 there, to the last digit.
    expected = 0.3 * (values.sum(axis=1) - own) / 40 if bias > 0 else -0.7 * own / 40
    losses, by_x, by_weights = losses_and_gradients(head, x.astype(np.float32), labels)
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    assert np.isfinite(by_x).all()
    assert all(np.isfinite(gradient).all() for gradient in by_weights)


def test_loss_is_weighted_by_the_authors_weight(rng):
    x, prototypes, labels = rng.normal(size=(6, 8)), rng.normal(size=(5, 8)), rng.integers(0, 5, 6)
    values = reference.logits("sphereface2", x, prototypes, labels, b=SphereFace2(5).starting_bias(), **SETTING)
    expected = reference.losses(values, labels, "sphereface2", **SETTING)
    for options, factor in (({}, 50), ({"loss_weight": 2.0}, 2)):
        head = SphereFace2(5, **options)
        head.build((None, 8))
        head.prototypes.assign(prototypes)
        np.testing.assert_allclose(array(head.loss(x.astype(np.float32), labels)), factor * expected, rtol=1e-4)


def test_by_default_every_logit_has_the_slope_of_a_plain_cosine(rng, float64):
    x, prototypes, labels = rng.normal(size=(5, 6)), rng.normal(size=(4, 6)), rng.integers(0, 4, 5)
    head = SphereFace2(4, loss_weight=1.0, dtype="float64")
    head.build((None, 6))
    head.prototypes.assign(prototypes)
    head.bias.assign(-3.0)
    own = np.eye(4)[labels]
    values = reference.logits("sphereface2", x, prototypes, labels, b=-3, **SETTING)
    sigmoid = 1 / (1 + np.exp(-values))
    along = (0.7 * own * (sigmoid - 1) + 0.3 * (1 - own) * sigmoid) @ reference.unit(prototypes)
    unit = reference.unit(x)
    expected = (along - unit * (along * unit).sum(axis=1, keepdims=True)) / np.linalg.norm(x, axis=1, keepdims=True)
    np.testing.assert_allclose(losses_and_gradients(head, x, labels)[1], expected, rtol=1e-6, atol=1e-12)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"margin": 1.0}, "margin"),
        ({"t": 0.5}, "t must lie in"),
        ({"balance": 1.0}, "balance"),
        ({"balance": 0.0}, "balance"),
        ({"loss_weight": -1.0}, "loss_weight"),
        ({"chunk_size": 8}, "SphereFace2 has no chunked loss"),
    ],
)
def test_bad_arguments_are_errors(options, words):
    with pytest.raises(ValueError, match=words):
        SphereFace2(5, **options)
