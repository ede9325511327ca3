"""ComparisonResult: what every run of a comparison came to."""

import dataclasses

from kerasface.evaluation import ClassAngles, PairAngles, VerificationResult
from kerasface.evaluation.result import Result

__all__ = ["ComparisonResult", "Diverged", "RunMeasures"]


@dataclasses.dataclass(frozen=True, eq=False)
class RunMeasures(Result):
    """One run, its best epoch's model measured.

    Args:
        variant, title, seed: which run.
        backbone: its name.
        parameters: of the backbone, trained.
        identities, images: trained on.
        faces: sha256 over names and places of all photos, those held out as well.
        steps, epochs: done.
        best_epoch: whose weights are measured: the best one on people held out.
        held_out_accuracy: of that epoch, on training identities held out.
        first_loss, last_loss: mean over the first and the last epoch, in nats. Of the same head only they compare.
        wall_seconds: of training, validation included.
        images_per_second: of the last process that trained, validation left out.
        training_angles: of the training images and the head's prototypes.
        lfw: the ten folds.
        lfw_angles: histograms of LFW's pairs.
        lfw_class_angles: of the images that LFW's pairs name.
    """

    variant: str
    title: str
    seed: int
    backbone: str
    parameters: int
    identities: int
    images: int
    faces: str
    steps: int
    epochs: int
    best_epoch: int
    held_out_accuracy: float
    first_loss: float
    last_loss: float
    wall_seconds: float
    images_per_second: float
    training_angles: ClassAngles
    lfw: VerificationResult
    lfw_angles: PairAngles
    lfw_class_angles: ClassAngles


@dataclasses.dataclass(frozen=True)
class Diverged(Result):
    """A run whose loss became no number.

    Args:
        variant, title, seed: which run.
        step: where, from 1.
    """

    variant: str
    title: str
    seed: int
    step: int


@dataclasses.dataclass(frozen=True, eq=False)
class ComparisonResult(Result):
    """What a comparison came to.

    Args:
        name: of the comparison.
        planned: how many runs it has in all.
        runs: those that were measured.
        diverged: those that have no model.
        library_version: kerasface's.
    """

    name: str
    planned: int
    runs: tuple[RunMeasures, ...]
    diverged: tuple[Diverged, ...]
    library_version: str
