"""Annealing: how fast A-Softmax's margin fades in."""

import dataclasses

import keras

__all__ = ["Annealing"]


@keras.saving.register_keras_serializable(package="kerasface")
@dataclasses.dataclass(frozen=True)
class Annealing:
    """λ(iteration) = max(minimum, base · (1 + gamma · iteration)^(−power)).

    The target's value is (λ cos θ + ψ(θ)) / (1 + λ): training starts as modified softmax and ends with most of the
    margin. The defaults are the authors': λ(1) = 892.86, and the minimum is reached at iteration 1659.

    Args:
        base: λ at iteration 0.
        gamma: how fast it falls, per iteration.
        power: exponent.
        minimum: where it stops falling; 5 leaves a sixth of the margin's weight to ψ.

    Raises:
        ValueError: a negative number.

    Example:
        >>> Annealing()(1)
        892.857…

    Reference:
        Liu et al., SphereFace, CVPR 2017; the solver of the authors' published code.
    """

    base: float = 1000.0
    gamma: float = 0.12
    power: float = 1.0
    minimum: float = 5.0

    def __post_init__(self):
        for field in dataclasses.fields(self):
            value = getattr(self, field.name)
            if value < 0:
                raise ValueError(f"{field.name} must not be negative. Received: {field.name}={value}")

    def __call__(self, iteration):
        """Returns λ at `iteration`, a number or a float tensor."""
        value = self.base * (1.0 + self.gamma * iteration) ** (-self.power)
        if isinstance(value, float | int):
            return max(self.minimum, value)
        return keras.ops.maximum(value, self.minimum)

    def get_config(self):
        """Returns the fields."""
        return dataclasses.asdict(self)

    @classmethod
    def from_config(cls, config):
        """Returns the schedule of these fields."""
        return cls(**config)
