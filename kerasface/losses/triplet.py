"""Triplet loss: nearer to the same person than to another."""

from keras import ops

from kerasface.heads.checks import check_number
from kerasface.losses._registry import losses
from kerasface.losses.base import EmbeddingLoss
from kerasface.losses.pairs import masked_mean, pair_cosines, pair_masks

__all__ = ["Triplet"]


@losses.register("triplet")
class Triplet(EmbeddingLoss):
    """Triplet loss with triplets mined from the batch.

    With d the squared distance of two embeddings on the unit sphere, a triplet of an anchor a, another photo p of the
    same person and a photo n of another costs max(0, d(a, p) − d(a, n) + margin). Every photo is an anchor once; its
    loss is

    * "semi_hard": the mean over all its positives p, each with the nearest n that is farther than p; where no n is, the
      farthest. Negatives nearer than p are left out: early in training they make all embeddings collapse to a point.
    * "batch_hard": that of its farthest p and its nearest n.

    An anchor without a positive, or in a batch without a negative, has the loss 0 and no gradient.

    Args:
        margin: α, in squared distance; 0.2 in FaceNet.
        mining: "semi_hard" as FaceNet, or "batch_hard" as Hermans et al., who use plain distances and don't normalise.
        **options: see `EmbeddingLoss` (dtype, name).

    Raises:
        ValueError: another mining.

    Example:
        >>> losses = Triplet(mining="batch_hard").loss(embeddings, labels)

    Reference:
        Schroff et al., FaceNet, CVPR 2015, eq. 3 and 4; Hermans et al., In Defense of the Triplet Loss, 2017, eq. 5.
        The farthest negative where none is semi-hard: TensorFlow's published triplet_semihard_loss.
    """

    def __init__(self, *, margin=0.2, mining="semi_hard", **options):
        super().__init__(**options)
        self.margin = float(check_number("margin", margin, low=0.0))
        if mining not in ("semi_hard", "batch_hard"):
            raise ValueError(f'mining must be "semi_hard" or "batch_hard". Received: mining={mining!r}')
        self.mining = mining

    def sample_losses(self, embeddings, labels, training):
        """max(0, d(a, p) − d(a, n) + m) of the mined triplets."""
        positive, negative = pair_masks(labels)
        distances = self.distances(pair_cosines(embeddings))
        mine = _semi_hard if self.mining == "semi_hard" else _batch_hard
        positives, negatives, triplets = mine(distances, positive, negative)
        return masked_mean(ops.relu(positives - negatives + self.margin), triplets)

    def distances(self, cosines):
        """‖a − b‖² of unit vectors."""
        return 2.0 - 2.0 * cosines

    def get_config(self):
        """Returns the arguments that rebuild this loss."""
        return {**super().get_config(), "margin": self.margin, "mining": self.mining}


def _batch_hard(distances, positive, negative):
    """Distances (B, 1) of each anchor's hardest positive and negative, and whether it has both."""
    # Chosen by index: a row that has none takes some finite distance, which the mask leaves out.
    hardest = ops.argmax(ops.where(positive, distances, -1.0), axis=1)
    nearest = ops.argmin(ops.where(negative, distances, float("inf")), axis=1)
    both = ops.any(positive, axis=1) & ops.any(negative, axis=1)
    return (
        ops.take_along_axis(distances, hardest[:, None], axis=1),
        ops.take_along_axis(distances, nearest[:, None], axis=1),
        both[:, None],
    )


def _semi_hard(distances, positive, negative):
    """Distances (B, B) of each anchor's positives and of the negatives that belong to them, and which are triplets."""
    # Anchor by anchor: the choice needs (B, B) for each, and (B, B, B) at once would not fit.
    chosen = ops.map(_next_farther, (ops.stop_gradient(distances), negative))
    triplets = positive & ops.any(negative, axis=1, keepdims=True)
    return distances, ops.take_along_axis(distances, chosen, axis=1), triplets


def _next_farther(row):
    """For each of an anchor's distances (B,), the index of the nearest negative beyond it, else of the farthest."""
    distances, negative = row
    beyond = negative[None, :] & (distances[None, :] > distances[:, None])
    nearest = ops.argmin(ops.where(beyond, distances[None, :], float("inf")), axis=1)
    farthest = ops.argmax(ops.where(negative, distances, -1.0))
    return ops.where(ops.any(beyond, axis=1), nearest, farthest)
