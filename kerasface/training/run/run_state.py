"""RunState: how far a run has come, as its checkpoints keep it."""

import dataclasses
import time

from kerasface.errors import KerasfaceError
from kerasface.training.run.sameness import changes_between

__all__ = ["RunState"]


@dataclasses.dataclass
class RunState:
    """How far a run has come.

    Args:
        faces: fingerprint of its faces.
        step: steps done.
        epoch_loss: mean loss over the running epoch's steps before `step`.
        best_epoch, best_accuracy: the best one so far, and its held-out accuracy; 0 before the first ended.
        wall_seconds: of the processes before this one.
        random: `random_state` of the model.
        history: one dict an epoch.
    """

    faces: dict
    step: int = 0
    epoch_loss: float = 0.0
    best_epoch: int = 0
    best_accuracy: float = 0.0
    wall_seconds: float = 0.0
    history: list = dataclasses.field(default_factory=list)
    random: list = dataclasses.field(default_factory=list)

    def __post_init__(self):
        self.start_clock()

    def start_clock(self):
        """Counts this process' wall time from now."""
        self._clock = time.monotonic()

    def resumed(self, saved):
        """Returns the state of a checkpoint.

        Raises:
            KerasfaceError: it is of other images.
        """
        changes = changes_between(saved["faces"], self.faces)
        if changes:
            way_out = "go on with those (--data, --photos), or begin anew with another --out"
            # The hash of the list tells people nothing; it speaks only where the numbers are the same.
            counts = [line for line in changes if not line.startswith("listing:")]
            told = counts or ["as many, but other files or names"]
            raise KerasfaceError("\n  ".join([f"the run was begun with other images; {way_out}:", *told]))
        return RunState(**saved)

    def as_dict(self):
        """The state with the wall time up to now, for JSON."""
        return {**dataclasses.asdict(self), "wall_seconds": self.wall_seconds_so_far()}

    def mean_loss(self, step, loss, steps_per_epoch):
        """Mean over the epoch's steps so far, also those before this process.

        Args:
            step: of the running epoch.
            loss: mean over the steps since this state's.
            steps_per_epoch: of the run's budget.
        """
        before = self.step % steps_per_epoch
        now = step - self.step
        return (self.epoch_loss * before + loss * now) / (before + now)

    def wall_seconds_so_far(self):
        """Of all processes of this run."""
        return self.wall_seconds + time.monotonic() - self._clock
