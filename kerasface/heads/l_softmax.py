"""L-Softmax: the multiplicative angular margin on prototypes that keep their own length."""

from keras import ops

from kerasface.heads._registry import heads
from kerasface.heads.annealed import AnnealedHead
from kerasface.heads.geometry import unit_rows

__all__ = ["LSoftmax"]


@heads.register("l_softmax")
class LSoftmax(AnnealedHead):
    """Large-margin softmax head.

    The target's logit is `‖P_y‖ ‖x‖ (λ cos θ_y + ψ(θ_y)) / (1 + λ)`, every other `P_jᵀ x = ‖P_j‖ ‖x‖ cos θ_j`, with
    ψ(θ) = (−1)^k cos(mθ) − 2k on θ in [kπ/m, (k+1)π/m]. Unlike A-Softmax, nothing is normalised: a class can also win
    by a longer prototype. m = 1 is softmax without bias.

    Args:
        num_classes: C, the number of training identities.
        margin: m: 1, 2, 3 or 4, the paper's largest.
        annealing: the schedule of λ (see `Annealing`), whose state is saved with the weights. None: no annealing,
            λ = 0.
        **options: see `MarginHead` (initializer, dtype, detach_margin); there is no scale.

    Call arguments:
        embeddings: (B, D) float, any norm.
        labels: (B,) int in [0, C); leave out at inference for P_jᵀ x.
        training: True advances the annealing by one iteration.

    Returns:
        (B, C) float32 logits.

    Raises:
        ValueError: a scale is given.

    Example:
        >>> logits = LSoftmax(10_572, margin=2)(embeddings, labels)

    Reference:
        Liu et al., Large-Margin Softmax Loss for Convolutional Neural Networks, ICML 2016, eq. 4 and 6.
    """

    def __init__(self, num_classes, *, margin=4, annealing=None, **options):
        if options.get("scale") is not None:
            raise ValueError(f"LSoftmax has no scale; ASoftmax may have one. Received: scale={options['scale']}")
        super().__init__(num_classes, margin=margin, annealing=annealing, **options)

    def logits_among(self, embeddings, class_weights, labels, training):
        """The base's ‖x‖ times values, times ‖P_j‖."""
        lengths = unit_rows(ops.convert_to_tensor(class_weights[0]))[1]
        return super().logits_among(embeddings, class_weights, labels, training) * lengths
