"""AdaCos: scaled cosines whose scale sets itself."""

import math

from keras import ops

from kerasface.heads._registry import heads
from kerasface.heads.angles import angle_of
from kerasface.heads.base import MarginHead
from kerasface.heads.checks import check_number
from kerasface.heads.state import add_state, move

__all__ = ["AdaCos"]


@heads.register("adacos")
class AdaCos(MarginHead):
    """Cosine head without a margin and without a scale to tune.

    The logits are `s cos θ_j` with s = √2 · ln(C − 1) at first. The dynamic form then sets, at every training step,

        s ← ln(B_avg) / cos(min(π/4, θ_med)),   B_avg = mean over the batch of Σ_{j≠y} exp(s cos θ_j),

    before the logits are computed: θ_med is the median of the targets' angles, and s keeps the loss's slope steepest
    there. s falls as faces come closer to their prototypes, which keeps the last easy ones from being ignored. It
    stands in a non-trainable weight: a resumed run goes on with it.

    Args:
        num_classes: C, the number of training identities, at least 3 (s is 0 for two).
        dynamic: False keeps s at its first value, the paper's "fixed AdaCos".
        **options: see `MarginHead` (initializer, dtype).

    Call arguments:
        embeddings: (B, D) float, any norm.
        labels: (B,) int in [0, C); leave out at inference. Needed for the scale alone.
        training: True lets s move.

    Returns:
        (B, C) float32 logits.

    Raises:
        ValueError: a scale is given; fewer than three classes.

    Example:
        >>> losses = AdaCos(10_572).loss(embeddings, labels, training=True)

    Reference:
        Zhang et al., AdaCos, CVPR 2019, sections 4.1 (s at first) and 4.2 (the dynamic s).
    """

    def __init__(self, num_classes, *, dynamic=True, **options):
        if options.get("scale") is not None:
            raise ValueError(f"AdaCos sets its scale itself; NormFace has one. Received: scale={options['scale']}")
        check_number("num_classes", num_classes, low=3)
        super().__init__(num_classes, **{**options, "scale": math.sqrt(2.0) * math.log(num_classes - 1)})
        self.dynamic = bool(dynamic)

    def build(self, embeddings_shape):
        """Creates the prototypes, (C, D), and the scale."""
        super().build(embeddings_shape)
        if self.dynamic:
            self.adaptive_scale = add_state(self, "adaptive_scale", self.scale)

    def observe(self, cosine, norm, others_log_sum):
        """Sets s for this batch."""
        if not self.dynamic:
            return
        log_sums = others_log_sum(ops.convert_to_tensor(self.adaptive_scale))
        batch = ops.cast(ops.shape(log_sums)[0], log_sums.dtype)
        # In logs: exp(s cos θ) alone overflows float32 from s = 89 on.
        log_average = ops.logsumexp(log_sums) - ops.log(batch)
        median = ops.median(ops.stop_gradient(angle_of(cosine)))
        move(self.adaptive_scale, log_average / ops.cos(ops.minimum(median, math.pi / 4)))

    def magnitude(self, norm):
        """s, the same for all."""
        return ops.convert_to_tensor(self.adaptive_scale) if self.dynamic else self.scale

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        config = {**super().get_config(), "dynamic": self.dynamic}
        del config["scale"]
        return config
