"""Angular triplet loss: the triplet loss with angles for distances."""

from kerasface.heads.angles import angle_of
from kerasface.losses._registry import losses
from kerasface.losses.triplet import Triplet

__all__ = ["AngularTriplet"]


@losses.register("angular_triplet")
class AngularTriplet(Triplet):
    """Triplet loss on angles: max(0, θ(a, p) − θ(a, n) + margin) with θ = arccos of the cosine, in radians.

    Its margin is the same arc everywhere on the sphere, as ArcFace's is; `Triplet`'s squared distances stretch small
    angles less than large ones. Triplets are mined as there.

    Args:
        margin: in radians, [0, π); 0.35 (20°) in the paper.
        mining: "semi_hard" or "batch_hard", see `Triplet`.
        **options: see `EmbeddingLoss` (dtype, name).

    Raises:
        ValueError: another mining.

    Example:
        >>> losses = AngularTriplet().loss(embeddings, labels)

    Reference:
        Deng et al., ArcFace, CVPR 2019, eq. 7, which it compares itself with.
    """

    def __init__(self, *, margin=0.35, mining="semi_hard", **options):
        super().__init__(margin=margin, mining=mining, **options)

    def distances(self, cosines):
        """θ, [0, π]; its derivative at 0 and π is 0 instead of infinite."""
        return angle_of(cosines)
