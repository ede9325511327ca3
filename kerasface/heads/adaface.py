"""AdaFace: the margin's shape follows the image's quality, read from the embedding's length."""

import math

from keras import ops

from kerasface.heads._registry import heads
from kerasface.heads.angles import angle_of
from kerasface.heads.base import MarginHead
from kerasface.heads.checks import check_number
from kerasface.heads.state import add_state, move

__all__ = ["AdaFace"]

# All from the authors' published code: ε, the norms that count, and the weight of a batch in the averages.
_EPSILON = 1e-3
_NORMS = (1e-3, 100.0)
_RATE = 0.01


@heads.register("adaface")
class AdaFace(MarginHead):
    """Margin head that asks more of good photos' angle and more of bad photos' easy cases.

    With a = ‖x‖ clipped to [0.001, 100], z = clip(h (a − μ) / (σ + ε), −1, 1) and ε = 0.001, the target's logit is

        scale · (cos(clip(θ_y − margin · z, ε, π − ε)) − margin · (1 + z)).

    z stands for the photo's quality: −1 gives ArcFace, 0 CosFace, 1 a negative angular margin that leaves out the
    hardest. No gradient flows through it. μ and σ are moving averages of the batches' mean and unbiased deviation of a,
    start at 20 and 100 and take in each training batch, with a weight of 0.01, before they are used (a batch of one has
    no deviation and leaves σ alone). They stand in non-trainable weights: a resumed run goes on with them.

    Args:
        num_classes: C, the number of training identities.
        scale: radius of the hypersphere; 64 in the paper.
        margin: in radians and in cosine, [0, π/2); 0.4 in the paper.
        h: how many deviations make |z| = 1: 1/h; 0.333 in the paper, so that most of a batch lies within.
        **options: see `MarginHead` (initializer, dtype, detach_margin).

    Call arguments:
        embeddings: (B, D) float; their length is used.
        labels: (B,) int in [0, C); leave out at inference for plain scaled cosines.
        training: True lets μ and σ move.

    Returns:
        (B, C) float32 logits.

    Example:
        >>> losses = AdaFace(70_722).loss(embeddings, labels, training=True)

    Reference:
        Kim et al., AdaFace, CVPR 2022, section 3.3; constants, and updating before use: the authors' published code.
        That code also clips every cosine to ±0.999 before anything else; here only the target's angle is clipped.
    """

    def __init__(self, num_classes, *, scale=64.0, margin=0.4, h=0.333, **options):
        super().__init__(num_classes, scale=scale, **options)
        self.margin = float(check_number("margin", margin, low=0.0, high=math.pi / 2))
        self.h = float(check_number("h", h, low=0.0))

    def build(self, embeddings_shape):
        """Creates the prototypes, (C, D), and the averages μ and σ."""
        super().build(embeddings_shape)
        self.norm_mean = add_state(self, "norm_mean", 20.0)
        self.norm_deviation = add_state(self, "norm_deviation", 100.0)

    def observe(self, cosine, norm, others_log_sum):
        """Moves μ and σ towards the batch's."""
        lengths = ops.clip(norm, *_NORMS)
        mean = ops.mean(lengths)
        others = ops.cast(ops.shape(lengths)[0], lengths.dtype) - 1.0
        move(self.norm_mean, mean, _RATE)
        move(self.norm_deviation, ops.sqrt(ops.sum(ops.square(lengths - mean)) / others), _RATE)

    def adjust_target(self, cosine, norm):
        """cos(θ_y − m z) − m − m z."""
        lengths = ops.stop_gradient(ops.clip(norm, *_NORMS))
        deviation = ops.convert_to_tensor(self.norm_deviation) + _EPSILON
        quality = ops.clip(self.h * (lengths - ops.convert_to_tensor(self.norm_mean)) / deviation, -1.0, 1.0)
        angle = ops.clip(angle_of(cosine) - self.margin * quality, _EPSILON, math.pi - _EPSILON)
        return ops.cos(angle) - self.margin * (1.0 + quality)

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        return {**super().get_config(), "margin": self.margin, "h": self.h}
