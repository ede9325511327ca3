"""AnnealedHead: the margin m = 1…4 by ψ that A-Softmax and L-Softmax share, and the λ that fades it in."""

import keras
from keras import ops

from kerasface.heads.base import MarginHead
from kerasface.heads.geometry import psi
from kerasface.heads.schedules import Annealing
from kerasface.heads.state import add_counter, add_state

__all__ = ["AnnealedHead"]


class AnnealedHead(MarginHead):
    """Base of the heads whose target's value is (λ cos θ_y + ψ(θ_y)) / (1 + λ).

    ψ(θ) = (−1)^k cos(mθ) − 2k on θ in [kπ/m, (k+1)π/m] comes from the signs of cos θ alone
    (`kerasface.heads.geometry.psi`). λ and the iteration that it hangs on are non-trainable weights, so a resumed run
    goes on where it stopped instead of falling back to λ = 1000.

    Args:
        num_classes: C, the number of training identities.
        margin: m: 1, 2, 3 or 4.
        annealing: the schedule of λ, or None: no annealing, λ = 0.
        **options: see `MarginHead`.

    Raises:
        ValueError: another margin.
        TypeError: an annealing that is not an `Annealing`.

    Example:
        >>> class MyHead(AnnealedHead):
        ...     def __init__(self, num_classes, *, margin=2, annealing=None, **options):
        ...         super().__init__(num_classes, margin=margin, annealing=annealing, **options)

    Reference:
        Liu et al., SphereFace, CVPR 2017, eq. 7; λ from the authors' published solver.
    """

    def __init__(self, num_classes, *, margin, annealing, **options):
        super().__init__(num_classes, **options)
        if margin not in (1, 2, 3, 4):
            raise ValueError(
                f"margin must be 1, 2, 3 or 4 (SphereFace takes any real m ≥ 1). Received: margin={margin!r}"
            )
        if annealing is not None and not isinstance(annealing, Annealing):
            raise TypeError(f"annealing must be an Annealing or None. Received: annealing={annealing!r}")
        self.margin = margin
        self.annealing = annealing

    def build(self, embeddings_shape):
        """Creates the prototypes, (C, D), and the annealing's state."""
        super().build(embeddings_shape)
        if self.annealing is None:
            return
        self.iteration = add_counter(self, "iteration")
        self.annealing_lambda = add_state(self, "annealing_lambda", self.annealing(0))

    def observe(self, cosine, norm, others_log_sum):
        """Advances the annealing by one iteration."""
        if self.annealing is not None:
            self.iteration.assign_add(1)
            self.annealing_lambda.assign(self.annealing(ops.cast(self.iteration, self.compute_dtype)))

    def adjust_target(self, cosine, norm):
        """(λ cos θ + ψ(θ)) / (1 + λ)."""
        value = psi(cosine, self.margin)
        if self.annealing is None:
            return value
        weight = ops.convert_to_tensor(self.annealing_lambda)
        return (weight * cosine + value) / (1.0 + weight)

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        annealing = None if self.annealing is None else keras.saving.serialize_keras_object(self.annealing)
        return {**super().get_config(), "margin": self.margin, "annealing": annealing}

    @classmethod
    def from_config(cls, config):
        """Returns the head of this config."""
        config = dict(config)
        annealing = config.pop("annealing", None)
        return cls(**config, annealing=annealing and keras.saving.deserialize_keras_object(annealing))
