"""Contrastive loss: pairs of one person together, pairs of two apart."""

from keras import ops

from kerasface.heads.checks import check_number
from kerasface.heads.geometry import safe_sqrt
from kerasface.losses._registry import losses
from kerasface.losses.base import EmbeddingLoss
from kerasface.losses.pairs import masked_mean, pair_cosines, pair_masks

__all__ = ["Contrastive"]


@losses.register("contrastive")
class Contrastive(EmbeddingLoss):
    """Contrastive loss over all pairs of a batch.

    With d the distance of two embeddings on the unit sphere, a pair of one person costs ½ d² and one of two people
    ½ max(0, margin − d)². The loss of a sample is the mean over its pairs of the first kind plus the mean over those of
    the second: the few pairs of one person count as much as the many others, as if the pairs had been drawn half and
    half. A kind that has no pair adds 0. Two embeddings that coincide push each other nowhere: no direction is apart.

    Args:
        margin: distance on the unit sphere, (0, 2], beyond which two people are far enough apart; 1 is an angle of 60°.
            The paper doesn't normalise and sets it, again and again, to the threshold that verifies best.
        **options: see `EmbeddingLoss` (dtype, name).

    Example:
        >>> losses = Contrastive().loss(embeddings, labels)

    Reference:
        Hadsell et al., CVPR 2006, eq. 4; for faces Sun et al., DeepID2, NIPS 2014, eq. 2, there beside a softmax with a
        weight of 0.05.
    """

    def __init__(self, *, margin=1.0, **options):
        super().__init__(**options)
        self.margin = float(check_number("margin", margin, low=1e-6, high=2.0 + 1e-6))

    def sample_losses(self, embeddings, labels, training):
        """½ d², ½ max(0, m − d)²."""
        positive, negative = pair_masks(labels)
        squares = 2.0 - 2.0 * pair_cosines(embeddings)
        apart = ops.square(ops.relu(self.margin - safe_sqrt(squares)))
        return 0.5 * (masked_mean(squares, positive) + masked_mean(apart, negative))

    def get_config(self):
        """Returns the arguments that rebuild this loss."""
        return {**super().get_config(), "margin": self.margin}
