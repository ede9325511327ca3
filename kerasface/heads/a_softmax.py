"""A-Softmax: SphereFace's multiplicative angular margin, annealed."""

from kerasface.heads._registry import heads
from kerasface.heads.annealed import AnnealedHead
from kerasface.heads.schedules import Annealing

__all__ = ["ASoftmax"]


@heads.register("a_softmax")
class ASoftmax(AnnealedHead):
    """Angular softmax head (A-Softmax, SphereFace 2017).

    The target's logit is `‖x‖ (λ cos θ_y + ψ(θ_y)) / (1 + λ)`, every other `‖x‖ cos θ_j`, with
    ψ(θ) = (−1)^k cos(mθ) − 2k on θ in [kπ/m, (k+1)π/m]: the angle to one's own prototype must be m times smaller than
    to any other. ψ comes from the signs of cos θ alone (`kerasface.heads.geometry.psi`).

    λ and the iteration that it hangs on are non-trainable weights, so a resumed run goes on where it stopped instead of
    falling back to λ = 1000. The gradient is the loss's own; the authors' solver normalises the target's gradient and
    ignores the margin in the prototypes', and says that the true one may want another λ and learning rate.

    Args:
        num_classes: C, the number of training identities.
        margin: m: 1, 2, 3 or 4; 4 in the paper. m = 1 is modified softmax.
        annealing: the schedule of λ; the authors' by default. None: no annealing, λ = 0, which hardly ever trains from
            scratch with m = 4.
        **options: see `MarginHead` (initializer, dtype, detach_margin). A `scale` stands in for ‖x‖: the features are
            normalised.

    Call arguments:
        embeddings: (B, D) float, any norm; the norm is the logits' magnitude.
        labels: (B,) int in [0, C); leave out at inference for ‖x‖ cos θ_j.
        training: True advances the annealing by one iteration.

    Returns:
        (B, C) float32 logits.

    Example:
        >>> head = ASoftmax(10_572, margin=4, annealing=Annealing(minimum=5.0))
        >>> logits = head(embeddings, labels)

    Reference:
        Liu et al., SphereFace, CVPR 2017, eq. 6 and 7; λ from the authors' published solver.
    """

    def __init__(self, num_classes, *, margin=4, annealing=Annealing(), **options):  # noqa: B008 (it is frozen)
        super().__init__(num_classes, margin=margin, annealing=annealing, **options)
