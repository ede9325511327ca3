"""Where a model's dropout stands, which neither its weights nor a Keras file hold."""

import numpy as np

__all__ = ["random_state", "set_random_state"]

# As Keras names the variable of a `SeedGenerator`.
_NAME = "seed_generator_state"


def random_state(model):
    """Returns the seeds and counters of a model's random layers, a list of ints."""
    return [int(number) for variable in _variables(model) for number in np.asarray(variable)]


def set_random_state(model, numbers):
    """Gives a model of the same layers what `random_state` returned.

    Args:
        model: `FaceModel`.
        numbers: list of ints.
    """
    rest = list(numbers)
    for variable in _variables(model):
        count = variable.shape[0]
        variable.assign(np.array(rest[:count], variable.dtype))
        rest = rest[count:]


def _variables(model):
    return [variable for variable in model.variables if variable.path.endswith(_NAME)]
