"""Training: one YAML recipe to a trained, validated, resumable model."""

from kerasface.lazy import lazy

_HOMES = {
    "CoupledSGD": "optimization.optimizers",
    "FinetuneReport": "finetuning",
    "Recipe": "recipe.recipe",
    "TrainingResult": "run.result",
    "finetune": "finetuning",
    "train": "trainer",
}

__all__ = ["CoupledSGD", "FinetuneReport", "Recipe", "TrainingResult", "finetune", "train"]


# Lazy (PEP 562): the optimizer serves JAX too, where there is no TensorFlow.
__getattr__, __dir__ = lazy(__name__, _HOMES)
