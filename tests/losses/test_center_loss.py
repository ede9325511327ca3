"""Centre loss: its value and gradient, and centres that only training moves."""

import keras
import numpy as np
import pytest

from kerasface.losses import CenterLoss
from tests.heads.autodiff import array, compiled, losses_and_gradients
from tests.losses import reference

CLASSES, DIM = 5, 4


def ready(centers, **options):
    loss = CenterLoss(CLASSES, **options)
    loss.build((None, DIM))
    loss.centers.assign(centers)
    return loss


@pytest.fixture
def centers(rng):
    return rng.normal(size=(CLASSES, DIM))


def batch(rng, count=9):
    return rng.normal(size=(count, DIM)) * 3, rng.integers(0, CLASSES - 1, count)  # the last class is never seen


def test_is_half_the_squared_distance_from_the_own_centre(rng, centers):
    x, labels = batch(rng)
    values, by_x, by_weights = losses_and_gradients(ready(centers), x.astype(np.float32), labels)
    assert values.dtype == np.float32
    np.testing.assert_allclose(
        values, [np.sum((f - centers[y]) ** 2) / 2 for f, y in zip(x, labels, strict=True)], 1e-5
    )
    np.testing.assert_allclose(by_x, x - centers[labels], rtol=1e-4, atol=1e-5)
    assert not by_weights  # centres are not the optimizer's


@pytest.mark.parametrize("alpha", [0.5, 1.0, 0.1])
def test_training_moves_the_centres_by_the_papers_rule(alpha, rng, centers):
    loss, expected = ready(centers, alpha=alpha), centers
    for _ in range(3):
        x, labels = batch(rng)
        before = array(loss.loss(x.astype(np.float32), labels))
        values = array(loss.loss(x.astype(np.float32), labels, training=True))
        np.testing.assert_allclose(values, before, rtol=1e-6)  # taken before the centres move
        expected = reference.centers_after(expected, x, labels, alpha)
        np.testing.assert_allclose(array(loss.centers), expected, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(array(loss.centers)[-1], centers[-1], rtol=1e-6)


def test_stays_where_it_is_outside_training(rng, centers):
    loss = ready(centers)
    x, labels = batch(rng)
    loss.loss(x.astype(np.float32), labels)
    np.testing.assert_array_equal(array(loss.centers), centers.astype(np.float32))


def test_gradient_is_the_same_while_centres_move(rng, centers):
    x, labels = batch(rng)

    class Training:
        built, trainable_weights, inner = True, [], ready(centers)

        def loss(self, x, labels):
            return self.inner.loss(x, labels, training=True)

    _, by_x, _ = losses_and_gradients(Training(), x.astype(np.float32), labels)
    np.testing.assert_allclose(by_x, x - centers[labels], rtol=1e-4, atol=1e-5)


def test_is_finite_at_the_centre_itself(centers):
    labels = np.arange(CLASSES)
    values, by_x, _ = losses_and_gradients(ready(centers), centers.astype(np.float32), labels)
    np.testing.assert_array_equal(values, np.zeros(CLASSES))
    np.testing.assert_array_equal(by_x, np.zeros((CLASSES, DIM)))


def test_a_row_that_is_not_finite_moves_nothing(rng, centers):
    x, labels = batch(rng)
    x[0], labels[0], labels[1:] = np.nan, 2, np.where(labels[1:] == 2, 1, labels[1:])
    loss = ready(centers)
    values = array(loss.loss(x.astype(np.float32), labels, training=True))
    np.testing.assert_array_equal(np.isnan(values), np.arange(len(x)) == 0)
    expected = reference.centers_after(centers, x[1:], labels[1:], 0.5)
    np.testing.assert_allclose(array(loss.centers), expected, rtol=1e-4, atol=1e-5)


def test_moves_inside_a_graph_where_a_label_out_of_range_moves_nothing(rng, centers):
    if keras.backend.backend() == "torch":
        pytest.skip("no graphs on this backend")
    x, labels = batch(rng)
    labels[0] = CLASSES
    loss = ready(centers)

    if keras.backend.backend() == "tensorflow":
        values = array(compiled(lambda x, y: loss.loss(x, y, training=True))(x.astype(np.float32), labels))
        moved = array(loss.centers)
    else:

        def step(x, labels, centers):
            scope = keras.StatelessScope(state_mapping=[(loss.centers, centers)])
            with scope:
                values = loss.loss(x, labels, training=True)
            return values, scope.get_current_value(loss.centers)

        values, moved = map(array, compiled(step)(x.astype(np.float32), labels, loss.centers.value))
    np.testing.assert_array_equal(np.isnan(values), np.arange(len(x)) == 0)
    expected = reference.centers_after(centers, x[1:], labels[1:], 0.5)
    np.testing.assert_allclose(moved, expected, rtol=1e-4, atol=1e-5)


def test_centres_are_saved_and_go_on_where_they_stopped(rng, centers, tmp_path):
    x, labels = batch(rng)
    uninterrupted, stopped = ready(centers), ready(centers)
    for loss in (uninterrupted, stopped):
        loss.loss(x.astype(np.float32), labels, training=True)
    holder(stopped).save_weights(tmp_path / "center.weights.h5")
    resumed = CenterLoss.from_config(stopped.get_config())
    resumed.build((None, DIM))
    holder(resumed).load_weights(tmp_path / "center.weights.h5")
    for loss in (uninterrupted, resumed):
        loss.loss(x.astype(np.float32), labels, training=True)
    np.testing.assert_allclose(array(resumed.centers), array(uninterrupted.centers), rtol=1e-6)
    assert resumed.get_config() == stopped.get_config()


def holder(loss):
    """A model that holds the loss, as FaceModel will."""
    model = keras.Sequential([keras.Input((DIM,)), keras.layers.Dense(DIM)])
    model.center_loss = loss
    return model


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        (np.array([0, 5, 2]), ValueError, r"lie in \[0, 5\)"),
        (np.array([0, -1, 2]), ValueError, "label -1"),
        (np.array([0.0, 1.0, 2.0], np.float32), TypeError, "integers"),
    ],
    ids=["too_high", "negative", "float"],
)
def test_bad_labels_are_errors(labels, error, words, rng):
    with pytest.raises(error, match=words):
        CenterLoss(CLASSES).loss(rng.normal(size=(3, DIM)).astype(np.float32), labels)


@pytest.mark.parametrize("options", [{"alpha": 0.0}, {"alpha": 1.5}])
def test_bad_arguments_are_errors(options):
    with pytest.raises(ValueError, match="alpha"):
        CenterLoss(CLASSES, **options)
