"""State that moves in training: saved with the model, and proof against a single bad batch."""

import keras
from keras import initializers, ops

__all__ = ["CountedDraws", "add_counter", "add_state", "move"]


def add_state(layer, name, start):
    """Gives `layer` a scalar that is saved but not trained, and returns it; replicas keep their mean."""
    return layer.add_weight(
        shape=(), initializer=initializers.Constant(start), trainable=False, aggregation="mean", name=name
    )


def add_counter(layer, name):
    """Gives `layer` a count of training steps, saved but not trained, and returns it."""
    # Replicas see the same number of steps: one of them may write.
    state = {"trainable": False, "aggregation": "only_first_replica"}
    return layer.add_weight(shape=(), dtype="int32", initializer="zeros", name=name, **state)


def move(state, value, rate=1.0):
    """state ← rate · value + (1 − rate) · state, without a gradient.

    A value that isn't finite leaves the state as it is: under mixed_float16 a batch may overflow, its step is skipped,
    and training goes on; a NaN in here would stay for good.

    Args:
        state: scalar weight, of `add_state`.
        value: scalar tensor, what this batch says.
        rate: weight of this batch; 1 replaces the state.
    """
    now = ops.convert_to_tensor(state)
    # Backends that trace state (JAX) would otherwise differentiate through the value just assigned.
    new = ops.stop_gradient(rate * value + (1.0 - rate) * now)
    state.assign(ops.where(ops.isfinite(new), new, now))


class CountedDraws(keras.random.SeedGenerator):
    """A seed generator that counts by somebody else's weight.

    Keras doesn't save a generator's own state, and advances it whenever it is drawn from; hooks may be evaluated twice
    a step.
    """

    def __init__(self, seed, iteration):
        super().__init__(seed)
        self.iteration = iteration

    def next(self, ordered=True):
        """The seed of this step; Keras calls it."""
        seed, zero = ops.unstack(ops.convert_to_tensor(self.state))
        return ops.stack([seed, zero + ops.cast(self.iteration, zero.dtype)])
