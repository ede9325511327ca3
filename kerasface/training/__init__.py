"""Training: one YAML recipe to a trained, validated, resumable model."""

import importlib

_HOMES = {"CoupledSGD": "optimizers", "Recipe": "recipe", "TrainingResult": "result", "train": "trainer"}

__all__ = ["CoupledSGD", "Recipe", "TrainingResult", "train"]


# Lazy (PEP 562): the optimizer serves JAX too, where there is no TensorFlow.
def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(f"kerasface.training.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'kerasface.training' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
