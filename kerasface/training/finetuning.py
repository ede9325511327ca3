"""Fine-tuning: a pretrained embedder, a folder of one's own people, and a measurement of whether it helped."""

import dataclasses
from pathlib import Path

import numpy as np
from rich.console import Console

from kerasface.data import open_faces, split_identities, write_list
from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError
from kerasface.evaluation import MembersAndStrangers, members_and_strangers, represent, sample_pairs, tightest_fpir
from kerasface.evaluation.result import Result
from kerasface.export import load_trained
from kerasface.progress import progress_bar
from kerasface.training.recipe.recipe import Recipe
from kerasface.training.run.outcome import write_outcome
from kerasface.training.run.run_faces import open_run_faces
from kerasface.training.run.run_folder import RunFolder
from kerasface.training.trainer import train

__all__ = ["FinetuneReport", "finetune"]

# The share of people set aside for the report; more of them where they have too few photos for any rate.
_TESTED = (0.2, 0.3, 0.4, 0.5)
# The share of the others that chooses the epoch; more of them where they have too few photos for its pairs.
_VALIDATED = (0.2, 0.3, 0.4, 0.5)
_FOLDS = 2
_PAIRS = (3000, 1000, 400, 200, 100, 40, 20)


@dataclasses.dataclass(frozen=True)
class FinetuneReport(Result):
    """What fine-tuning came to, on people of the same folder that neither training nor the choice of the epoch saw.

    Args:
        name: of the new model.
        initial: of the model it began with.
        trained_people, trained_images: whom it was trained on.
        tested_people, tested_images: whom it was measured on.
        best_epoch: the epoch that was kept.
        before, after: the two models on the tested people.
    """

    name: str
    initial: str
    trained_people: int
    trained_images: int
    tested_people: int
    tested_images: int
    best_epoch: int
    before: MembersAndStrangers
    after: MembersAndStrangers

    @property
    def helped(self) -> bool:
        """Whether more members were recognised, and not more strangers accepted than were asked for."""
        return self.after.recognised > self.before.recognised and self.after.accepted <= max(
            self.before.accepted, self.after.fpir
        )


def finetune(
    model, data, out, *, epochs=10, learning_rate=1e-4, frozen=(), seed=0, resume=False, console=None
) -> FinetuneReport | None:
    """Trains a pretrained embedder on a folder of people, and measures it before and after.

    A part of the people is set aside; a fifth of the others chooses the epoch. Each of those set aside is searched
    as a member of a gallery and as a stranger to it (`evaluation.members_and_strangers`), with the old model and with
    the new one. The head is CosFace, whose prototypes begin with the people's mean embeddings.

    Args:
        model: `.keras` file with its spec beside it.
        data: faces aligned to the model's template, anything that `open_faces` opens.
        out: folder of the run, as `train` writes it, and `report.json`.
        epochs: passes over the training people's photos.
        learning_rate: AdamW's highest; a tenth of what training from scratch would take.
        frozen: names of the backbone's layers, or what they begin with, that keep their weights.
        seed: of who is set aside, of order and augmentation.
        resume: go on with the run in `out`.
        console: `rich.console.Console` for the progress.

    Returns:
        `FinetuneReport`; None when a signal stopped the training.

    Raises:
        KerasfaceError: too few people or photos to train on some and measure on others, or see `train`.

    Example:
        >>> report = finetune("zoo/small.keras", "faces/aligned", "runs/ours")
        >>> report.before.recognised, report.after.recognised

    Reference:
        Imprinted prototypes: Qi, Brown and Lowe, CVPR 2018. The two roles of every person: ISO/IEC 19795-1's
        open-set identification.
    """
    console, out = console or Console(), Path(out)
    earlier, spec = load_trained(model)
    faces = open_faces(data)
    tested, rest, fpir = _set_aside(faces, seed)
    people = len(rest.names)
    held_out, pairs = _validation(rest, seed)
    recipe = Recipe.of_tree(
        {
            "name": f"{spec.name}_finetuned",
            "seed": seed,
            "epochs": epochs,
            "batch_size": min(32, len(rest) // 4),
            "initial": str(model),
            "prototypes": "class_means",
            "frozen": list(frozen),
            "head": {"name": "cosface", "scale": 32.0, "margin": 0.2},
            "optimizer": {"name": "adamw", "learning_rate": learning_rate, "weight_decay": 0.01},
            "schedule": {"name": "cosine", "warmup_epochs": min(1.0, epochs / 4)},
            "augmentation": {"mirror": 0.5, "shift": 0.02, "brightness": 0.1, "contrast": 0.1},
            "data": {
                "held_out": held_out,
                "description": f"{spec.training_data}; then {people} people of {Path(data).name}",
                "licence": f"{spec.licence}; the photos' own terms",
            },
            "validation": {"folds": _FOLDS, "pairs": pairs},
        },
        "finetune",
    )
    # Before the lists of a run that is there already are written over.
    RunFolder(out).check(recipe, resume)
    out.mkdir(parents=True, exist_ok=True)
    write_list(rest, out / "trained.csv")
    write_list(tested, out / "tested.csv")
    console.print(f"{len(tested.names):,} people ({len(tested):,} images) set aside for the report", soft_wrap=True)
    result = train(recipe, out / "trained.csv", out, resume=resume, console=console)
    if not result.finished:
        return None
    trained = set(open_run_faces(recipe, out / "trained.csv", ()).training.names)
    # Validation people alone would be too few for most rates.
    unseen = faces.select([label for label, name in enumerate(faces.names) if name not in trained])
    write_outcome(recipe, unseen, result.model_path, out)
    best, _ = load_trained(result.model_path)
    before, after = (
        members_and_strangers(_embedded(one, tested, console), tested.labels, fpir=fpir, seed=seed)
        for one in (earlier, best)
    )
    report = FinetuneReport(
        name=recipe.name,
        initial=spec.name,
        trained_people=result.identities,
        trained_images=result.images,
        tested_people=len(tested.names),
        tested_images=len(tested),
        best_epoch=result.best_epoch,
        before=before,
        after=after,
    )
    write_atomically(out / "report.json", report.to_json().encode(), mode=0o644)
    return report


def _set_aside(faces, seed):
    """The people to measure on, the others, and the rate of accepted strangers that the first can tell."""
    several = np.flatnonzero(np.bincount(faces.labels, minlength=len(faces.names)) > 1)
    for share in _TESTED:
        if share * len(faces.names) >= 4 and len(several) >= 4:
            rest, tested = split_identities(faces.labels, fraction=share, seed=seed)
            tested = faces.select(tested)
            fpir = tightest_fpir(tested.labels, seed=seed)
            if fpir is not None and len(rest) >= 4 * _FOLDS:
                return tested, faces.select(rest), fpir
    raise KerasfaceError(
        "too few people or photos to train on some and to tell on others whether it helped: 60 photos of four people "
        f"or more must be set aside, and {4 * _FOLDS} people be left. Received: people={len(faces.names)}, "
        f"photos={len(faces)}. With so few, use the model as it is and enrol them."
    )


def _validation(rest, seed):
    """The share of people that training holds out, and as many pairs as half or more of them give."""
    for share in _VALIDATED:
        held_out = max(share, 2 * _FOLDS / len(rest.names))
        pairs, reason = _most_pairs(rest, held_out, seed)
        if pairs:
            return held_out, pairs
    raise KerasfaceError(f"too few photos to choose an epoch with: {reason}")


def _most_pairs(rest, held_out, seed):
    _, validated = split_identities(rest.labels, fraction=held_out, seed=seed)
    labels = rest.select(validated).labels
    for pairs in _PAIRS:
        try:
            sampled = sample_pairs(labels, num_pairs=pairs, seed=seed, folds=_FOLDS)
        except KerasfaceError as error:
            reason = error
            continue
        # More pairs want more photos a person, so fewer people give them.
        if 2 * len(np.unique(sampled.people)) >= len(validated):
            return pairs, None
        reason = f"fewer than half of {len(validated)} people have enough of them"
    return None, reason


def _embedded(model, faces, console):
    with progress_bar(console, "measuring") as update:
        return represent(model.predict_on_batch, faces.photos, batch_size=64, progress=update)
