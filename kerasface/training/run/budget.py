"""Budget: how many steps a run has, and where its epochs end."""

import dataclasses

from kerasface.errors import KerasfaceError

__all__ = ["Budget", "budget_of"]


@dataclasses.dataclass(frozen=True)
class Budget:
    """The steps of a run.

    Args:
        steps_per_epoch: batches that one pass over the training images makes; what is left begins the next.
        last_step: steps of the whole run, which may end inside an epoch.
    """

    steps_per_epoch: int
    last_step: int

    @property
    def epochs(self):
        """Epochs that are begun."""
        return -(-self.last_step // self.steps_per_epoch)

    def end_of_epoch(self, step):
        """The step after which the epoch that `step` is in ends."""
        return min((step // self.steps_per_epoch + 1) * self.steps_per_epoch, self.last_step)


def budget_of(recipe, images, replicas):
    """Counts a recipe's steps, and refuses one that these images or replicas can't do.

    Args:
        recipe: `Recipe`.
        images: how many there are to train on.
        replicas: R that share a batch.

    Returns:
        `Budget`.

    Raises:
        KerasfaceError: too few images for a batch, a batch that R doesn't divide, or fields that need one replica.
    """
    steps_per_epoch = images // recipe.batch_size
    if not steps_per_epoch:
        raise KerasfaceError(
            f"{images} training images make no batch of {recipe.batch_size}. Received: "
            f"batch_size={recipe.batch_size}. Lower batch_size or add images."
        )
    if recipe.batch_size % replicas:
        raise KerasfaceError(
            f"{replicas} replicas can't share a batch equally. Received: batch_size={recipe.batch_size}. Choose a "
            f"multiple of {replicas}."
        )
    # An execution would run past the end of an epoch, whose stream has none over replicas (`share_of_batches`), and
    # Keras updates accumulated gradients inside a condition, where replicas can't meet.
    for field, value in (
        ("steps_per_execution", recipe.steps_per_execution),
        ("optimizer.accumulation", recipe.optimizer.accumulation),
    ):
        if replicas > 1 and value > 1:
            raise KerasfaceError(f"{field} must be 1 over {replicas} replicas. Received: {field}={value}")
    return Budget(steps_per_epoch, recipe.steps or steps_per_epoch * recipe.epochs)
