"""Schedules: a recipe's learning rate as one of Keras' own schedules, and the warm-up that goes before any of them."""

import math

import keras
from keras import ops
from keras.optimizers import schedules

from kerasface.errors import KerasfaceError

__all__ = ["WarmUp", "learning_rate"]


@keras.saving.register_keras_serializable(package="kerasface")
class WarmUp(schedules.LearningRateSchedule):
    """A linear rise from 0, then another schedule from its begin.

    At step n it is schedule(0) · n / steps below `steps`, and schedule(n − steps) from there. Of Keras' schedules only
    `CosineDecay` has one of its own.

    Args:
        schedule: `LearningRateSchedule` that follows.
        steps: of the rise, at least 1.

    Raises:
        ValueError: steps below 1.

    Example:
        >>> float(WarmUp(keras.optimizers.schedules.PolynomialDecay(0.1, 100, 0.0), steps=10)(5))
        0.05

    Reference:
        Goyal et al., Accurate, Large Minibatch SGD, 2017, section 2.2.
    """

    def __init__(self, schedule, steps):
        super().__init__()
        if steps < 1:
            raise ValueError(f"a warm-up has at least one step. Received: steps={steps}")
        self.schedule = schedule
        self.steps = steps

    def __call__(self, step):
        """Learning rate at `step`, an int tensor."""
        step = ops.cast(step, "float32")
        # Never asked below 0, where a polynomial of odd power would be worth more than its first value.
        after = self.schedule(ops.maximum(step - self.steps, 0.0))
        return ops.where(step < self.steps, after * step / self.steps, after)

    def get_config(self):
        """Returns the arguments that rebuild this schedule."""
        return {"schedule": keras.saving.serialize_keras_object(self.schedule), "steps": self.steps}

    @classmethod
    def from_config(cls, config):
        """Returns the schedule of this config."""
        return cls(keras.saving.deserialize_keras_object(config["schedule"]), config["steps"])


def learning_rate(section, rate, *, steps_per_epoch, last_step, accumulation=1):
    """The learning rate of a recipe.

    Args:
        section: its schedule.
        rate: its highest learning rate.
        steps_per_epoch: to count epochs in steps.
        last_step: steps of the whole run.
        accumulation: k: steps that make one update of the weights; Keras asks a schedule once an update.

    Returns:
        float, or a `LearningRateSchedule` of the number of updates done.

    Raises:
        KerasfaceError: the warm-up, or a boundary, lies outside the run.
    """
    if section.name == "constant":
        return rate
    warmup = section.warmup_steps or round(section.warmup_epochs * steps_per_epoch)
    if warmup >= last_step:
        raise KerasfaceError(
            f"the schedule's warm-up fills the run of {last_step} steps. Received: {warmup} steps of warm-up. Lower "
            "schedule.warmup_steps or schedule.warmup_epochs."
        )
    warmup = math.ceil(warmup / accumulation)
    updates = max(1, math.ceil(last_step / accumulation) - warmup)
    final = rate * getattr(section, "final_fraction", 0.0)
    if section.name == "step":
        schedule = _steps(section, rate, steps_per_epoch, last_step, accumulation, warmup)
    elif section.name == "polynomial":
        schedule = schedules.PolynomialDecay(rate, updates, final, section.power)
    elif section.restarts:
        growth = section.restart_growth
        cycles = sum(growth**cycle for cycle in range(section.restarts + 1))
        schedule = schedules.CosineDecayRestarts(
            rate, updates / cycles, t_mul=growth, m_mul=section.restart_factor, alpha=section.final_fraction
        )
    else:
        schedule = schedules.CosineDecay(rate, updates, alpha=section.final_fraction)
    return WarmUp(schedule, warmup) if warmup else schedule


def _steps(section, rate, steps_per_epoch, last_step, accumulation, warmup):
    steps = section.steps or [round(epoch * steps_per_epoch) for epoch in section.epochs]
    boundaries = [math.ceil(step / accumulation) - warmup for step in steps]
    if steps[-1] >= last_step or boundaries[0] <= 0:
        raise KerasfaceError(
            f"the schedule's boundaries must lie between its warm-up and the run's last step, {last_step}. Received: "
            f"boundaries at steps {list(steps)}. Change schedule.steps, schedule.epochs or the warm-up."
        )
    # Keras still gives the old value at a boundary, where the papers' solvers give the new one.
    return schedules.PiecewiseConstantDecay(
        [boundary - 1 for boundary in boundaries], [rate * section.factor**n for n in range(len(boundaries) + 1)]
    )
