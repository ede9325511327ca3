"""The sections of a recipe that say how weights move: the optimizer and the schedule of its learning rate."""

import itertools
from typing import Annotated, Literal

import pydantic
from pydantic import Field

from kerasface.training.recipe.section import Fraction, Section

__all__ = [
    "AdamWSection",
    "ConstantRate",
    "CosineRate",
    "Optimizer",
    "PolynomialRate",
    "SGDSection",
    "Schedule",
    "StepRate",
]


class _OptimizerSection(Section):
    """What every optimizer can do.

    `clip_norm` is the longest that the gradient of all weights together may be; None leaves it as it is. `ema` is the
    momentum m of averages of the weights, a ← m·a + (1 − m)·w after every step: validation, the best model and the
    export then see the averages, while training goes on from the weights. `accumulation` is how many steps, batches
    of `batch_size`, make one update of the weights, with the mean of their gradients, on one device.
    """

    clip_norm: Annotated[float, Field(gt=0)] | None = None
    ema: Annotated[float, Field(gt=0, lt=1)] | None = None
    accumulation: Annotated[int, Field(ge=1)] = 1


class SGDSection(_OptimizerSection):
    """SGD with the papers' coupled weight decay."""

    name: Literal["sgd"]
    learning_rate: Annotated[float, Field(gt=0)] = 0.1
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 5e-4


class AdamWSection(_OptimizerSection):
    """AdamW with its decoupled weight decay."""

    name: Literal["adamw"]
    learning_rate: Annotated[float, Field(gt=0)] = 1e-3
    weight_decay: Annotated[float, Field(ge=0)] = 0.05


Optimizer = Annotated[SGDSection | AdamWSection, Field(discriminator="name")]


class ConstantRate(Section):
    """The same learning rate throughout."""

    name: Literal["constant"]


class _WarmedUp(Section):
    """A schedule that may begin with a linear rise from 0; it counts in epochs or, as papers often do, in steps."""

    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0
    warmup_steps: Annotated[int, Field(ge=0)] = 0

    @pydantic.model_validator(mode="after")
    def _one_warmup(self):
        if self.warmup_epochs and self.warmup_steps:
            raise ValueError("give warmup_epochs or warmup_steps, not both")
        return self


class StepRate(_WarmedUp):
    """The learning rate times `factor` at every boundary, counted from the run's begin, its warm-up included.

    `steps: [16000, 24000]` are SphereFace's; `epochs: [10, 18]` do it without knowing how many steps an epoch has.
    """

    name: Literal["step"]
    steps: tuple[Annotated[int, Field(gt=0)], ...] = ()
    epochs: tuple[Annotated[float, Field(gt=0)], ...] = ()
    factor: Annotated[float, Field(gt=0, lt=1)] = 0.1

    @pydantic.model_validator(mode="after")
    def _rising_boundaries(self):
        if bool(self.steps) == bool(self.epochs):
            raise ValueError("give the boundaries as steps or as epochs")
        boundaries = self.steps or self.epochs
        if any(later <= earlier for earlier, later in itertools.pairwise(boundaries)):
            raise ValueError(f"boundaries must rise; {list(boundaries)} don't")
        return self


class PolynomialRate(_WarmedUp):
    """From the learning rate to `final_fraction` of it as (1 − t)^power, t the part of the run after the warm-up."""

    name: Literal["polynomial"]
    power: Annotated[float, Field(gt=0)] = 1.0
    final_fraction: Fraction = 0.0


class CosineRate(_WarmedUp):
    """From the learning rate to `final_fraction` of it along half a cosine.

    With `restarts` the way down is gone again so many times (SGDR): each takes `restart_growth` times as long as the
    one before and begins at `restart_factor` times its rate; together they fill the run.
    """

    name: Literal["cosine"] = "cosine"
    final_fraction: Fraction = 0.0
    restarts: Annotated[int, Field(ge=0)] = 0
    restart_growth: Annotated[float, Field(ge=1)] = 1.0
    restart_factor: Annotated[float, Field(gt=0, le=1)] = 1.0


Schedule = Annotated[ConstantRate | StepRate | PolynomialRate | CosineRate, Field(discriminator="name")]
