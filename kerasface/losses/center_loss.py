"""Centre loss: every face towards the centre of its class."""

from keras import ops

from kerasface.heads.checks import check_labels, check_number
from kerasface.heads.geometry import in_range, nan_outside
from kerasface.losses._registry import losses
from kerasface.losses.base import EmbeddingLoss

__all__ = ["CenterLoss"]


@losses.register("center")
class CenterLoss(EmbeddingLoss):
    """Centre loss, to be joined to a head: alone it is smallest when all embeddings are one point.

    The loss of a sample is ½ ‖x − c_y‖², on embeddings as they are, without normalisation. The centres c are not the
    optimizer's: each training step moves them, after the loss was taken, by

        c_j ← c_j − alpha · Σ_{i: y_i = j} (c_j − x_i) / (1 + n_j),

    n_j the number of samples of class j in the batch. They start at the origin and stand in a non-trainable weight: a
    resumed run goes on with them. A sample whose embedding isn't finite moves nothing.

    Args:
        num_classes: C, the number of training identities.
        alpha: (0, 1], how fast centres move; 0.5 in the paper.
        **options: see `EmbeddingLoss` (dtype, name).

    Call arguments:
        labels: (B,) int in [0, C). Outside that range: a ValueError in eager calls, a NaN loss for that row inside a
            compiled graph.

    Raises:
        ValueError: num_classes < 1, alpha outside (0, 1].

    Example:
        >>> center = CenterLoss(10_572)
        >>> total = head.loss(x, y, training=True) + 0.003 * center.loss(x, y, training=True)

    Reference:
        Wen et al., A Discriminative Feature Learning Approach for Deep Face Recognition, ECCV 2016, eq. 2 to 4; 0.003
        and 0.5 are its best λ and α.
    """

    def __init__(self, num_classes, *, alpha=0.5, **options):
        super().__init__(**options)
        self.num_classes = int(check_number("num_classes", num_classes, low=1))
        self.alpha = float(check_number("alpha", alpha, low=1e-6, high=1.0 + 1e-6))

    def build(self, embeddings_shape):
        """Creates the centres, (C, D)."""
        shape = (self.num_classes, embeddings_shape[-1])
        self.centers = self.add_weight(
            shape=shape, initializer="zeros", trainable=False, aggregation="mean", name="centers"
        )
        self.built = True

    def check_labels(self, labels):
        """Raises for labels that are not (B,) integers in [0, C), as heads do."""
        check_labels(labels, self.num_classes)

    def sample_losses(self, embeddings, labels, training):
        """½ ‖x − c_y‖²; moves the centres in training."""
        centers = ops.convert_to_tensor(self.centers)
        rows = in_range(labels, self.num_classes)
        differences = embeddings - ops.take(centers, rows, axis=0)
        if training:
            self._move(centers, rows, labels, ops.stop_gradient(differences))
        return nan_outside(0.5 * ops.sum(ops.square(differences), axis=-1), labels, self.num_classes)

    def get_config(self):
        """Returns the arguments that rebuild this loss."""
        return {**super().get_config(), "num_classes": self.num_classes, "alpha": self.alpha}

    def _move(self, centers, rows, labels, differences):
        count = ops.sum(ops.cast(labels[:, None] == labels[None, :], differences.dtype), axis=1)
        steps = self.alpha * differences / (1.0 + count)[:, None]
        # A NaN in a centre would stay for good, and a label out of range has none.
        counts = ops.all(ops.isfinite(steps), axis=1) & (labels >= 0) & (labels < self.num_classes)
        steps = ops.where(counts[:, None], steps, ops.zeros_like(steps))
        self.centers.assign(ops.scatter_update(centers, rows[:, None], steps, reduction="add"))
