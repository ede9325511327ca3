"""Training: one YAML recipe to a trained, validated, resumable model."""

import importlib

_HOMES = {
    "CoupledSGD": "optimizers",
    "FinetuneReport": "finetuning",
    "Recipe": "recipe",
    "TrainingResult": "result",
    "finetune": "finetuning",
    "train": "trainer",
}

__all__ = ["CoupledSGD", "FinetuneReport", "Recipe", "TrainingResult", "finetune", "train"]


# Lazy (PEP 562): the optimizer serves JAX too, where there is no TensorFlow.
def __getattr__(name):
    if name in _HOMES:
        return getattr(importlib.import_module(f"kerasface.training.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'kerasface.training' has no attribute {name!r}")


def __dir__():
    return sorted(__all__)
