"""The optimizer that a recipe describes, ready to compile with."""

import keras

from kerasface.training.optimization.averaging import AveragedAdamW, AveragedSGD
from kerasface.training.optimization.optimizers import CoupledSGD
from kerasface.training.optimization.schedules import learning_rate

__all__ = ["make_optimizer"]


def make_optimizer(recipe, *, steps_per_epoch, last_step):
    """Makes the optimizer of a recipe.

    Args:
        recipe: `Recipe`.
        steps_per_epoch: to count the schedule's epochs in steps.
        last_step: steps of the whole run.

    Returns:
        `keras.optimizers.Optimizer`; for float16 with a dynamic loss scale around it.

    Raises:
        KerasfaceError: a schedule that doesn't fit the run.
    """
    section = recipe.optimizer
    rate = learning_rate(
        recipe.schedule,
        section.learning_rate,
        steps_per_epoch=steps_per_epoch,
        last_step=last_step,
        accumulation=section.accumulation,
    )
    options = {
        "global_clipnorm": section.clip_norm,
        "gradient_accumulation_steps": section.accumulation if section.accumulation > 1 else None,
    }
    averaging = section.ema is not None
    if averaging:
        options.update(use_ema=True, ema_momentum=section.ema)
    if section.name == "sgd":
        kind = AveragedSGD if averaging else CoupledSGD
        optimizer = kind(rate, section.momentum, section.weight_decay, **options)
    else:
        kind = AveragedAdamW if averaging else keras.optimizers.AdamW
        optimizer = kind(rate, weight_decay=section.weight_decay, **options)
    return keras.optimizers.LossScaleOptimizer(optimizer) if recipe.precision == "mixed_float16" else optimizer
