"""CurricularFace: hard negatives weigh more as training goes on."""

import math

from keras import ops

from kerasface.heads._registry import heads
from kerasface.heads.angles import sine_of
from kerasface.heads.arcface import ArcFace
from kerasface.heads.state import add_state, move

__all__ = ["CurricularFace"]

# Weight of a batch in t; the paper's momentum is 0.99.
_RATE = 0.01


@heads.register("curricularface")
class CurricularFace(ArcFace):
    """ArcFace whose negatives follow a curriculum.

    The target's logit is ArcFace's. A negative is hard where cos θ_j > cos(θ_y + margin); its logit is
    `scale · cos θ_j (t + cos θ_j)`, every other's `scale · cos θ_j`. t is the moving average of the targets' cosines:
    about 0 at first, so that hard negatives count less than easy ones, and then it rises with the network.

    t starts at 0 and takes in each training batch, with a weight of 0.01, before it is used. It stands in a
    non-trainable weight: a resumed run goes on with it.

    Args:
        num_classes: C, the number of training identities.
        scale: radius of the hypersphere; 64 in the paper.
        margin: in radians, [0, π/2); 0.5 in the paper.
        **options: see `MarginHead` (initializer, dtype, detach_margin).

    Call arguments:
        embeddings: (B, D) float, any norm.
        labels: (B,) int in [0, C); leave out at inference for plain scaled cosines.
        training: True lets t move.

    Returns:
        (B, C) float32 logits.

    Example:
        >>> losses = CurricularFace(85_742).loss(embeddings, labels, training=True)

    Reference:
        Huang et al., CurricularFace, CVPR 2020, section 3.2; beyond π and t's first value: the authors' published code,
        which compares negatives with cos(θ_y + margin) there too, not with the value that stands in for it.
    """

    def __init__(self, num_classes, *, scale=64.0, margin=0.5, **options):
        super().__init__(num_classes, scale=scale, margin=margin, **options)

    def build(self, embeddings_shape):
        """Creates the prototypes, (C, D), and t."""
        super().build(embeddings_shape)
        self.t = add_state(self, "t", 0.0)

    def observe(self, cosine, norm, others_log_sum):
        """Moves t towards the batch's mean cosine."""
        move(self.t, ops.mean(cosine), _RATE)

    def adjust_others(self, cosines, target):
        """cos θ_j (t + cos θ_j) where it is hard."""
        hard = cosines > self._shifted(target)[:, None]
        return ops.where(hard, cosines * (ops.convert_to_tensor(self.t) + cosines), cosines)

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        config = super().get_config()
        del config["easy_margin"]
        return config

    def _shifted(self, target):
        """cos(θ_y + m) of the target's value, which is something else past π."""
        step = self.margin * math.sin(self.margin)
        # cos(θ + m) ends at −1 and what follows it starts at −cos m − m sin m: anything between tells them apart.
        past = target < -0.5 * (1.0 + math.cos(self.margin) + step)
        cosine = ops.clip(target + step, -1.0, 1.0)
        return ops.where(past, cosine * math.cos(self.margin) - sine_of(cosine) * math.sin(self.margin), target)
