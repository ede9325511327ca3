"""TrainingResult: what a run came to."""

import dataclasses
import json

__all__ = ["TrainingResult"]


@dataclasses.dataclass(frozen=True)
class TrainingResult:
    """What a run came to.

    Args:
        name: of the recipe.
        finished: False when a signal stopped it; resume it then.
        epochs, steps: done so far.
        identities, images: trained on.
        best_epoch: the epoch whose weights `model_path` holds, the best one by `Recipe.best_by`, from 1; 0 before the
            first ended, and in the processes of a run of several that are not its chief.
        held_out_accuracy: its mean verification accuracy on held-out people; None where `best_epoch` is 0.
        images_per_second: of the last process that trained, validation left out.
        wall_seconds: of all processes of this run.
        history: one dict an epoch.
        model_path: the best model, a `.keras` file with its spec beside it; None where `best_epoch` is 0.
    """

    name: str
    finished: bool
    epochs: int
    steps: int
    identities: int
    images: int
    best_epoch: int
    held_out_accuracy: float | None
    images_per_second: float
    wall_seconds: float
    history: tuple[dict, ...]
    model_path: str | None

    def to_json(self):
        """Returns the result as a JSON text."""
        return json.dumps(dataclasses.asdict(self), indent=1)
