"""CoupledSGD against the papers' update rule written in NumPy."""

import keras
import numpy as np
import pytest

from kerasface.training import CoupledSGD

STEPS = 8


def papers_steps(w, gradients, rates, momentum, decay):
    """v ← momentum · v − rate · (g + decay · w); w ← w + v, as in Caffe; PyTorch's is the same at a constant rate."""
    v, path = np.zeros_like(w), []
    for gradient, rate in zip(gradients, rates, strict=True):
        v = momentum * v - rate * (gradient + decay * w)
        w = w + v
        path.append(w)
    return np.stack(path)


def torchs_steps(w, gradients, rate, momentum, decay):
    """torch.optim.SGD: d = g + decay · w; b ← momentum · b + d; w ← w − rate · b."""
    b, path = np.zeros_like(w), []
    for gradient in gradients:
        b = momentum * b + (gradient + decay * w)
        w = w - rate * b
        path.append(w)
    return np.stack(path)


def steps(optimizer, start, gradients):
    variable = keras.Variable(start)
    path = []
    for gradient in gradients:
        optimizer.apply([keras.ops.convert_to_tensor(gradient, "float32")], [variable])
        path.append(variable.numpy().copy())
    return np.stack(path)


@pytest.fixture
def problem(rng):
    return rng.normal(size=(3, 5)), rng.normal(size=(STEPS, 3, 5))


@pytest.mark.parametrize("momentum", [0.0, 0.9])
@pytest.mark.parametrize("decay", [0.0, 0.05])
def test_equals_torchs_sgd(momentum, decay, problem):
    found = steps(CoupledSGD(0.1, momentum, decay), *problem)
    np.testing.assert_allclose(found, torchs_steps(*problem, 0.1, momentum, decay), rtol=1e-5, atol=1e-6)


def test_equals_the_papers_solver_under_a_schedule(problem):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, decay_steps=1, decay_rate=0.7)
    found = steps(CoupledSGD(schedule, 0.9, 0.05), *problem)
    expected = papers_steps(*problem, 0.1 * 0.7 ** np.arange(STEPS), 0.9, 0.05)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)


def test_decay_goes_through_the_momentum():
    # No gradient at all: the coupled decay of step one is still moving the weight in step two.
    found = steps(CoupledSGD(0.1, 0.9, 0.5), np.ones(1), np.zeros((2, 1)))
    np.testing.assert_allclose(found.ravel(), [0.95, 0.95 - 0.9 * 0.05 - 0.1 * 0.5 * 0.95], rtol=1e-6)
    decoupled = steps(keras.optimizers.SGD(0.1, 0.9, weight_decay=0.5), np.ones(1), np.zeros((2, 1)))
    assert abs(decoupled[1] - found[1]) > 0.01


def test_config_brings_it_back():
    optimizer = CoupledSGD(0.03, momentum=0.7, coupled_decay=0.01, nesterov=True, clipnorm=2.0)
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(optimizer))
    assert type(again) is CoupledSGD
    assert again.get_config() == optimizer.get_config()
    assert (again.momentum, again.coupled_decay, again.nesterov, again.clipnorm) == (0.7, 0.01, True, 2.0)
    assert float(again.learning_rate) == pytest.approx(0.03)


def test_a_saved_model_keeps_decay_and_momentum(tmp_path, rng):
    x, y = rng.normal(size=(8, 3)), rng.normal(size=(8, 2))
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    model.compile(CoupledSGD(0.1, 0.9, 0.05), loss="mse")
    model.fit(x, y, epochs=3, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.optimizer.coupled_decay == 0.05
    for one in (model, again):
        one.fit(x, y, epochs=2, shuffle=False, verbose=0)
    for found, expected in zip(again.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_refuses_two_decays():
    with pytest.raises(ValueError, match="give coupled_decay, not both decays. Received: weight_decay=0.01"):
        CoupledSGD(0.1, weight_decay=0.01)


def test_what_is_excluded_does_not_decay():
    kernel, bias = keras.Variable([1.0, 1.0], name="kernel"), keras.Variable([1.0, 1.0], name="bias")
    optimizer = CoupledSGD(0.1, momentum=0.9, coupled_decay=0.5)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    optimizer.apply([keras.ops.zeros(2), keras.ops.zeros(2)], [kernel, bias])
    np.testing.assert_allclose(kernel.numpy(), 0.95, rtol=1e-6)
    np.testing.assert_array_equal(bias.numpy(), 1.0)
