"""SphereFace2: one binary classification a class instead of one softmax over all."""

import math

from keras import initializers, ops

from kerasface.heads._registry import heads
from kerasface.heads.angles import straight_through
from kerasface.heads.base import MarginHead
from kerasface.heads.checks import check_number
from kerasface.heads.geometry import entries, in_range, with_target

__all__ = ["SphereFace2"]


@heads.register("sphereface2")
class SphereFace2(MarginHead):
    """Binary classification head (SphereFace2, additive margin "C").

    With g(c) = 2 ((c + 1) / 2)^t − 1, r the scale and b a trainable scalar, the logits are

    * `z_y = r (g(cos θ_y) − m) + b` for the true class,
    * `z_j = r (g(cos θ_j) + m) + b` for the others: σ(z_j) is the probability that the face is of class j,

    and a sample's loss is `loss_weight / r · (λ log(1 + e^{−z_y}) + (1 − λ) Σ_{j≠y} log(1 + e^{z_j}))`. No class
    competes with another: the sum needs nothing but each class's own logit.

    b starts where the expected loss is smallest (see `starting_bias`); at 0, C − 1 classes would each begin with a
    loss that swamps the true one's.

    Args:
        num_classes: C, the number of training identities.
        scale: r, radius of the hypersphere.
        margin: m, on the scale of g, [0, 1).
        t: exponent ≥ 1 that spreads the cosines; 1 leaves them as they are.
        balance: λ in [0, 1), the weight of the positive pair against the C − 1 negative ones.
        loss_weight: the authors' `lw`, 50; 1 gives the paper's loss.
        detach_margin: True by default, as the authors' code trains: g and the margin move the value, while the slope is
            that of r cos θ_j, for every class. Their learning rates and `lw` belong to it. False: the true gradient.
        **options: see `MarginHead` (initializer, dtype).

    Call arguments:
        embeddings: (B, D) float, any norm.
        labels: (B,) int in [0, C); leave out at inference for plain scaled cosines, which rank classes as g does.

    Returns:
        (B, C) float32 binary logits; a softmax over them is not this head's loss: train with `loss`.

    Example:
        >>> losses = SphereFace2(10_572).loss(embeddings, labels)

    Reference:
        Wen et al., SphereFace2, ICLR 2022, eq. 5; t, r, m, λ, lw and the sign of b as in the authors' OpenSphere code.
    """

    def __init__(
        self,
        num_classes,
        *,
        scale=40.0,
        margin=0.4,
        t=3.0,
        balance=0.7,
        loss_weight=50.0,
        detach_margin=True,
        **options,
    ):
        if scale is None:
            raise ValueError("SphereFace2 divides its loss by the scale. Received: scale=None")
        super().__init__(num_classes, scale=scale, detach_margin=detach_margin, **options)
        self.margin = check_number("margin", margin, low=0.0, high=1.0)
        self.t = check_number("t", t, low=1.0)
        # λ = 0 would leave the true class out, and no bias would be best.
        self.balance = check_number("balance", balance, low=1e-6, high=1.0)
        self.loss_weight = check_number("loss_weight", loss_weight, low=0.0)

    def build(self, embeddings_shape):
        """Creates the prototypes, (C, D), and the bias, a scalar."""
        super().build(embeddings_shape)
        start = initializers.Constant(self.starting_bias())
        self.bias = self.add_weight(shape=(), initializer=start, name="bias")

    def starting_bias(self):
        """Returns the b that makes the expected loss of an untrained network smallest; 5.58 for C = 10,572.

        Random directions are orthogonal, so every g is g(0), and with p = r (g(0) − m), n = r (g(0) + m) the expected
        loss is λ log(1 + e^{−p−b}) + (1 − λ)(C − 1) log(1 + e^{n+b}). Its slope in b vanishes where

            z / (1 + e^{p+b}) = e^{n+b} / (1 + e^{n+b}),   z = λ / ((1 − λ)(C − 1)),

        which is e^{p+n} u² + (1 − z) e^n u − z = 0 for u = e^b, with one positive root.
        """
        z = self.balance / ((1.0 - self.balance) * (self.num_classes - 1))
        at_right_angles = 2.0 * 0.5**self.t - 1.0
        positive, negative = (self.scale * (at_right_angles + sign * self.margin) for sign in (-1.0, 1.0))
        root = math.sqrt((1.0 - z) ** 2 + 4.0 * z * math.exp(positive - negative))
        # Two forms of the same root: each adds numbers of one sign, where the other would lose every digit.
        if z <= 1.0:
            return math.log(2.0 * z / (1.0 - z + root)) - negative
        return math.log((z - 1.0 + root) / 2.0) - positive

    def adjust_target(self, cosine, norm):
        """g(cos θ_y) − m."""
        return self._spread(cosine) - self.margin

    def adjust_others(self, cosines, target):
        """g(cos θ_j) + m."""
        values = self._spread(cosines) + self.margin
        return straight_through(values, cosines) if self.detach_margin else values

    def logits_among(self, embeddings, class_weights, labels, training):
        """Binary logits with the margin and the bias; plain scaled cosines without labels."""
        logits = super().logits_among(embeddings, class_weights, labels, training)
        return logits if labels is None else logits + self.bias

    def loss_among(self, embeddings, class_weights, labels, training):
        """Weighted binary cross-entropies over the given rows, summed."""
        logits = self.logits_among(embeddings, class_weights, labels, training)
        own = entries(logits, in_range(labels, logits.shape[-1]))
        positive = self.balance * ops.softplus(-own)
        negative = (1.0 - self.balance) * ops.softplus(logits)
        return ops.sum(with_target(negative, labels, positive), axis=-1) * (self.loss_weight / self.scale)

    def get_config(self):
        """Returns the arguments that rebuild this head."""
        return {
            **super().get_config(),
            "margin": self.margin,
            "t": self.t,
            "balance": self.balance,
            "loss_weight": self.loss_weight,
        }

    def _spread(self, cosines):
        # Rounding can leave −1.0000001, of which no real power exists.
        return 2.0 * ops.power(ops.maximum((cosines + 1.0) / 2.0, 0.0), self.t) - 1.0
