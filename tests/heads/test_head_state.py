"""State of the heads that have one: moves in training only, by its formula, and goes on where a run stopped."""

import math
import types

import keras
import numpy as np
import pytest

from kerasface.heads import AdaCos, AdaFace, Annealing, ASoftmax, CurricularFace, ElasticFace
from kerasface.model import FaceModel
from tests.heads import reference
from tests.heads.autodiff import array, losses_and_gradients

CLASSES, DIM = 6, 8
BUILDERS = {
    "a_softmax": ASoftmax,
    "adacos": AdaCos,
    "adaface": AdaFace,
    "curricularface": CurricularFace,
    "elasticface": ElasticFace,
}


def build(name, prototypes):
    head = BUILDERS[name](CLASSES)
    head.build((None, DIM))
    head.prototypes.assign(prototypes)
    return head


def state(head):
    return [array(weight).astype(np.float64) for weight in head.non_trainable_weights]


def assert_same_state(head, other):
    ours, theirs = state(head), state(other)
    assert len(ours) == len(theirs) > 0
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-6)


@pytest.fixture
def prototypes(rng):
    return rng.normal(size=(CLASSES, DIM))


@pytest.fixture
def batches(rng):
    # Odd and even sizes (the median of an even one lies between two), lengths on both sides of AdaFace's 20.
    sizes = [5, 8, 7, 4, 9, 6]
    return [((rng.normal(size=(n, DIM)) * 8).astype(np.float32), rng.integers(0, CLASSES, n)) for n in sizes]


def expected_states(name, batches, prototypes):
    """The state after each batch, recomputed in float64."""
    t, mean, deviation, scale = 0.0, 20.0, 100.0, math.sqrt(2) * math.log(CLASSES - 1)
    for step, (x, labels) in enumerate(batches, start=1):
        cosines = reference.cosines(x.astype(np.float64), prototypes)
        own = cosines[np.arange(len(labels)), labels]
        lengths = np.clip(np.linalg.norm(x.astype(np.float64), axis=1), 1e-3, 100)
        t = 0.01 * own.mean() + 0.99 * t
        mean = 0.01 * lengths.mean() + 0.99 * mean
        deviation = 0.01 * lengths.std(ddof=1) + 0.99 * deviation
        others = np.exp(scale * cosines).sum(axis=1) - np.exp(scale * own)
        scale = math.log(others.mean()) / math.cos(min(math.pi / 4, np.median(np.arccos(own))))
        yield {
            "a_softmax": [step, max(5.0, 1000 / (1 + 0.12 * step))],
            "adacos": [scale],
            "adaface": [mean, deviation],
            "curricularface": [t],
            "elasticface": [step],
        }[name]


@pytest.mark.parametrize("through", ["loss", "call"])
@pytest.mark.parametrize("name", BUILDERS)
def test_follows_its_formula_batch_by_batch(name, through, batches, prototypes):
    head = build(name, prototypes)
    step = head if through == "call" else head.loss
    for (x, labels), expected in zip(batches, expected_states(name, batches, prototypes), strict=True):
        step(x, labels, training=True)
        now = state(head)
        assert len(now) == len(expected)
        for ours, theirs in zip(now, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, rtol=2e-5, atol=1e-7)


@pytest.mark.parametrize("name", BUILDERS)
def test_stays_where_it_is_outside_training(name, batches, prototypes):
    head, untouched = build(name, prototypes), build(name, prototypes)
    for x, labels in batches:
        head.loss(x, labels)
        head(x, labels)
        head(x)
        head.loss(x, labels, training=False)
    assert_same_state(head, untouched)


@pytest.mark.parametrize("name", BUILDERS)
def test_takes_a_batch_in_before_it_is_used(name, batches, prototypes):
    head = build(name, prototypes)
    x, labels = batches[0]
    fresh = array(head(x, labels))
    first = array(head(x, labels, training=True))
    np.testing.assert_allclose(first, array(head(x, labels)), rtol=1e-5, atol=1e-5)
    assert not np.allclose(first, fresh, rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", BUILDERS)
def test_sends_no_gradient_through_its_state(name, batches, prototypes):
    x, labels = batches[1]
    head, settled = build(name, prototypes), build(name, prototypes)
    settled(x, labels, training=True)
    training = types.SimpleNamespace(
        built=True,
        trainable_weights=head.trainable_weights,
        loss=lambda x, labels: head.loss(x, labels, training=True),
    )
    _, by_x, _ = losses_and_gradients(training, x, labels)
    _, expected, _ = losses_and_gradients(settled, x, labels)
    np.testing.assert_allclose(by_x, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", BUILDERS)
def test_is_saved_and_goes_on_as_if_nothing_had_stopped(name, batches, prototypes, tmp_path):
    uninterrupted, stopped = build(name, prototypes), build(name, prototypes)
    for x, labels in batches[:3]:
        uninterrupted(x, labels, training=True)
        stopped(x, labels, training=True)
    wrapped(stopped).save_weights(tmp_path / "stopped.weights.h5")
    resumed = BUILDERS[name](CLASSES)
    wrapped(resumed).load_weights(tmp_path / "stopped.weights.h5")
    assert_same_state(resumed, stopped)
    for x, labels in batches[3:]:
        expected = array(uninterrupted(x, labels, training=True))
        np.testing.assert_allclose(array(resumed(x, labels, training=True)), expected, rtol=1e-5, atol=1e-5)
    assert_same_state(resumed, uninterrupted)


def wrapped(head):
    embeddings, labels = keras.Input((DIM,)), keras.Input((), dtype="int32")
    return keras.Model([embeddings, labels], head(embeddings, labels))


def face_model(head):
    backbone = keras.Sequential(
        [keras.Input((4, 4, 3)), keras.layers.Flatten(), keras.layers.Dense(DIM, kernel_initializer="ones")]
    )
    return FaceModel(backbone, head)


def fit(model, photos, labels):
    model.compile(keras.optimizers.SGD(0.01))
    model.fit(photos, labels, batch_size=4, epochs=1, shuffle=False, verbose=0)


@pytest.mark.parametrize("name", BUILDERS)
def test_moves_in_fit_and_survives_a_saved_model(name, prototypes, rng, tmp_path):
    photos, labels = rng.integers(0, 256, (12, 4, 4, 3)).astype(np.float32), rng.integers(0, CLASSES, 12)
    model, untrained = face_model(build(name, prototypes)), state(build(name, prototypes))
    fit(model, photos, labels)
    for before, after in zip(untrained, state(model.head), strict=True):
        assert not np.array_equal(before, after)
    if name in ("a_softmax", "elasticface"):
        assert state(model.head)[0] == 3  # steps
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert_same_state(loaded.head, model.head)
    fit(model, photos, labels)
    fit(loaded, photos, labels)
    assert_same_state(loaded.head, model.head)


@pytest.mark.parametrize("name", BUILDERS)
def test_moves_inside_a_graph(name, batches, prototypes):
    if keras.backend.backend() != "tensorflow":
        pytest.skip("a custom loop in a graph; jit on JAX is what fit does above")
    import tensorflow as tf

    head, eager = build(name, prototypes), build(name, prototypes)
    signature = [tf.TensorSpec((None, DIM)), tf.TensorSpec((None,), "int64")]
    step = tf.function(lambda x, labels: head.loss(x, labels, training=True), input_signature=signature)
    for x, labels in batches:
        losses = step(x, labels).numpy()
        np.testing.assert_allclose(losses, eager.loss(x, labels, training=True), rtol=1e-4, atol=1e-4)
    assert_same_state(head, eager)


@pytest.mark.parametrize("name", ["adacos", "adaface", "curricularface"])
def test_is_not_spoiled_by_a_batch_that_is_not_finite(name, batches, prototypes):
    head = build(name, prototypes)
    head(*batches[0], training=True)
    before = state(head)
    x, labels = batches[1]
    x = x.copy()
    x[0, 0] = np.nan  # an overflow under mixed_float16, whose step the optimizer skips
    head(x, labels, training=True)
    np.testing.assert_array_equal(state(head), before)


def test_a_resumed_annealing_does_not_restart(batches, prototypes, tmp_path):
    head = build("a_softmax", prototypes)
    head.iteration.assign(1658)
    head(*batches[0], training=True)
    wrapped(head).save_weights(tmp_path / "head.weights.h5")
    resumed = ASoftmax(CLASSES)
    wrapped(resumed).load_weights(tmp_path / "head.weights.h5")
    resumed(*batches[1], training=True)
    assert float(resumed.annealing_lambda) == 5.0 < Annealing()(1)
