"""Contrastive, triplet and angular triplet losses against loops over all pairs and triplets."""

import keras
import numpy as np
import pytest

from kerasface import losses
from kerasface.losses import AngularTriplet, Contrastive, Triplet
from tests.heads.autodiff import array, compiled, losses_and_gradients
from tests.losses import reference

# name: (how to build the loss, the same in loops)
CASES = {
    "contrastive": (Contrastive, reference.contrastive),
    "contrastive_wide": (
        lambda **o: Contrastive(margin=1.6, **o),
        lambda x, y: reference.contrastive(x, y, margin=1.6),
    ),
    "triplet": (Triplet, reference.triplet),
    "triplet_hard": (
        lambda **o: Triplet(mining="batch_hard", margin=0.5, **o),
        lambda x, y: reference.triplet(x, y, margin=0.5, mining="batch_hard"),
    ),
    "angular": (AngularTriplet, lambda x, y: reference.triplet(x, y, margin=0.35, angular=True)),
    "angular_hard": (
        lambda **o: AngularTriplet(mining="batch_hard", **o),
        lambda x, y: reference.triplet(x, y, margin=0.35, mining="batch_hard", angular=True),
    ),
}


def faces(rng, count=14, people=5, dim=6):
    """Photos that lie about their person's direction, some far, of any length."""
    labels = rng.integers(0, people, count)
    x = rng.normal(size=(people, dim))[labels] + rng.normal(size=(count, dim)) * 0.7
    return x * rng.uniform(0.5, 20, (count, 1)), labels


@pytest.mark.parametrize("name", CASES)
def test_equals_the_loops(name, rng):
    build, loops = CASES[name]
    for _ in range(5):
        x, labels = faces(rng)
        ours = array(build().loss(x.astype(np.float32), labels))
        assert ours.dtype == np.float32
        np.testing.assert_allclose(ours, loops(x, labels), rtol=1e-4, atol=1e-5)
        assert ours.any()


@pytest.mark.parametrize("name", CASES)
def test_gradient_equals_finite_differences(name, rng, float64):
    build, loops = CASES[name]
    x, labels = faces(rng, count=9, people=3)
    _, by_x, _ = losses_and_gradients(build(dtype="float64"), x, labels)
    assert np.abs(by_x).max() > 1e-3
    for at in np.ndindex(x.shape):
        move = np.zeros_like(x)
        move[at] = 1e-6
        slope = (loops(x + move, labels).sum() - loops(x - move, labels).sum()) / 2e-6
        assert by_x[at] == pytest.approx(slope, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize("name", CASES)
def test_coinciding_opposite_and_zero_embeddings_give_finite_gradients(name, policy):
    # Pairs of one person and of two that coincide, that are opposite, and a row of zeros.
    x = np.array([[1, 0], [1, 0], [1, 0], [-1, 0], [-1, 0], [0, 0], [3, 0]], np.float32)
    labels = np.array([0, 0, 1, 0, 1, 1, 2])
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        loss = CASES[name][0]()
    finally:
        keras.config.set_dtype_policy(before)
    x = keras.ops.cast(x, keras.DTypePolicy(policy).compute_dtype)
    values, by_x, _ = losses_and_gradients(loss, x, labels)
    assert values.dtype == np.float32  # whatever surrounds it
    assert np.isfinite(values).all()
    assert np.isfinite(by_x.astype(np.float64)).all()


@pytest.mark.parametrize(
    "labels", [[0, 1, 2, 3], [0, 0, 0, 0], [0]], ids=["no_positive", "no_negative", "a_single_photo"]
)
@pytest.mark.parametrize("name", [name for name in CASES if "contrastive" not in name])
def test_without_triplets_loss_and_gradient_are_zero(name, labels, rng):
    x = rng.normal(size=(len(labels), 6)).astype(np.float32)
    values, by_x, _ = losses_and_gradients(CASES[name][0](), x, np.array(labels))
    assert not values.any()
    assert not by_x.any()


def test_contrastive_without_a_kind_of_pair_is_the_other_kind(rng):
    x = rng.normal(size=(4, 6)).astype(np.float32)
    for labels in ([0, 1, 2, 3], [0, 0, 0, 0]):
        expected = reference.contrastive(x.astype(np.float64), labels, margin=1.9)
        values = array(Contrastive(margin=1.9).loss(x, np.array(labels)))
        np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-6)
        assert values.all()
    values, by_x, _ = losses_and_gradients(Contrastive(), x[:1], np.array([3]))
    assert not values.any()
    assert not by_x.any()


def test_semi_hard_leaves_out_the_negatives_nearer_than_the_positive():
    # At 0° the anchor, at 30° its positive; negatives at 10° (too hard), 35° (semi-hard), 80°.
    angles = np.radians([0.0, 30.0, -10.0, -35.0, 80.0])
    x = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    labels = np.array([0, 0, 1, 2, 3])
    anchor = array(AngularTriplet().loss(x, labels))[0]
    assert anchor == pytest.approx(np.radians(30 - 35) + 0.35, abs=1e-5)
    hard = array(AngularTriplet(mining="batch_hard").loss(x, labels))[0]
    assert hard == pytest.approx(np.radians(30 - 10) + 0.35, abs=1e-5)
    farthest = array(AngularTriplet().loss(x[:3], labels[:3]))[0]  # no negative beyond the positive
    assert farthest == pytest.approx(np.radians(30 - 10) + 0.35, abs=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_runs_in_a_graph_with_any_batch_size(name, rng):
    build, loops = CASES[name]
    step = compiled(build().loss)
    if step is None:
        pytest.skip("no graphs on this backend")
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        signature = [tf.TensorSpec((None, 6), "float32"), tf.TensorSpec((None,), "int64")]
        step = tf.function(build().loss, input_signature=signature)
    for count in (8, 13):
        x, labels = faces(rng, count=count)
        np.testing.assert_allclose(array(step(x.astype(np.float32), labels)), loops(x, labels), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", ["contrastive", "triplet_hard", "angular"])
def test_config_round_trips(name):
    loss = CASES[name][0]()
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(loss))
    assert type(twin) is type(loss)
    assert twin.get_config() == loss.get_config()


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        (np.array([0.0, 1.0, 2.0], np.float32), TypeError, "integers"),
        (np.array([[0], [1], [2]]), ValueError, r"\(B,\)"),
        (np.array([0, 1]), ValueError, "as many as embeddings"),
    ],
    ids=["float", "two_axes", "too_few"],
)
def test_bad_labels_are_errors(labels, error, words, rng):
    x = rng.normal(size=(3, 4)).astype(np.float32)
    for name in ("contrastive", "triplet"):
        with pytest.raises(error, match=words):
            losses.get(name).loss(x, labels)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: Triplet(mining="random"), "mining must be"),
        (lambda: Triplet(margin=-0.1), "margin"),
        (lambda: Contrastive(margin=3.0), "margin"),
        (lambda: losses.get("tripled"), "unknown loss; expected one of angular_triplet, center, contrastive, triplet"),
    ],
)
def test_bad_arguments_are_errors(build, words):
    with pytest.raises(ValueError, match=words):
        build()
