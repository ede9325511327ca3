"""ElasticFace: a margin drawn anew for every sample."""

import math

import keras
from keras import ops

from kerasface.heads._registry import heads
from kerasface.heads.angles import add_to_angle
from kerasface.heads.base import MarginHead
from kerasface.heads.checks import check_number
from kerasface.heads.replicas import every_replicas, own_part
from kerasface.heads.state import CountedDraws, add_counter

__all__ = ["ElasticFace"]

# As in the paper.
_MARGINS = {"arc": 0.5, "cos": 0.35}


@heads.register("elasticface")
class ElasticFace(MarginHead):
    """ArcFace or CosFace with margins m_i from N(margin, sigma), one for every sample and step.

    The target's logit is `scale · cos(θ_y + m_i)` ("arc", gone on with past π as ArcFace does) or
    `scale · (cos θ_y − m_i)` ("cos"). With `plus`, the batch's draws are dealt out by need: the sample farthest from
    its prototype gets the largest.

    Margins follow from the seed and a counter of training steps alone. The counter is a non-trainable weight, so a
    resumed run draws what an uninterrupted one would have drawn; a call with training=False repeats the draws of the
    last training step for a batch of the same size.

    Args:
        num_classes: C, the number of training identities.
        scale: radius of the hypersphere; 64 in the paper.
        margin: mean of the draws, in radians ("arc") or in cosine ("cos"); None: 0.5 and 0.35 as in the paper.
        sigma: their standard deviation; 0.0125 in the authors' code. 0 is ArcFace or CosFace.
        kind: "arc" or "cos".
        plus: ElasticFace+, see above.
        seed: int; other seeds draw other margins.
        **options: see `MarginHead` (initializer, dtype, detach_margin).

    Call arguments:
        embeddings: (B, D) float, any norm.
        labels: (B,) int in [0, C); leave out at inference for plain scaled cosines.
        training: True draws new margins.

    Returns:
        (B, C) float32 logits.

    Raises:
        ValueError: another kind.

    Example:
        >>> losses = ElasticFace(85_742, kind="cos", plus=True).loss(embeddings, labels, training=True)

    Reference:
        Boutros et al., ElasticFace, CVPRW 2022, section 3. For "+" this follows the paper: the authors' published code
        sorts the draws too, but deals them out by the inverse permutation, which leaves hardly any order.
    """

    def __init__(
        self, num_classes, *, scale=64.0, margin=None, sigma=0.0125, kind="arc", plus=False, seed=0, **options
    ):
        super().__init__(num_classes, scale=scale, **options)
        if kind not in _MARGINS:
            raise ValueError(f'kind must be "arc" or "cos". Received: kind={kind!r}')
        margin = _MARGINS[kind] if margin is None else margin
        self.margin = float(check_number("margin", margin, low=0.0, high=math.pi / 2 if kind == "arc" else 1.0))
        self.sigma = float(check_number("sigma", sigma, low=0.0))
        self.kind = kind
        self.plus = bool(plus)
        self.seed = int(seed)

    def build(self, embeddings_shape):
        """Creates the prototypes, (C, D), and the counter."""
        super().build(embeddings_shape)
        self.iteration = add_counter(self, "iteration")
        self.draws = CountedDraws(self.seed, self.iteration)

    def observe(self, cosine, norm, others_log_sum):
        """Goes on to the next draws."""
        self.iteration.assign_add(1)

    def adjust_target(self, cosine, norm):
        """cos(θ_y + m_i) or cos θ_y − m_i."""
        # Drawn for the whole batch, of which a replica takes its part: the draws don't hang on how it is spread.
        every = every_replicas(ops.stop_gradient(cosine))
        margins = keras.random.normal(ops.shape(every), self.margin, self.sigma, dtype=cosine.dtype, seed=self.draws)
        if self.plus:
            rank = ops.argsort(ops.argsort(-every))  # 0 is the nearest
            margins = ops.take(ops.sort(margins), rank)
        margins = own_part(margins, cosine)
        return add_to_angle(cosine, margins) if self.kind == "arc" else cosine - margins

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        return {
            **super().get_config(),
            "margin": self.margin,
            "sigma": self.sigma,
            "kind": self.kind,
            "plus": self.plus,
            "seed": self.seed,
        }
