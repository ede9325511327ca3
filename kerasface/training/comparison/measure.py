"""The measures of one trained model."""

import json

import numpy as np

from kerasface.evaluation import class_angles, pair_angles, pair_scores, represent, verify
from kerasface.export import load_trained
from kerasface.training.comparison.result import RunMeasures

__all__ = ["measure_run"]


def measure_run(planned, folder, faces, lfw, *, progress=None):
    """Measures the best model of a finished run on its training images and on LFW.

    LFW is represented by the sum of a face's and its mirror image's embeddings, training images by their own.

    Args:
        planned: `PlannedRun`.
        folder: its `RunFolder`.
        faces: its `RunFaces`.
        lfw: `PairSet` of `read_lfw`.
        progress: called as `progress(done, total)`, in images.

    Returns:
        `RunMeasures`.
    """
    model, _ = load_trained(folder.best)
    training = json.loads(folder.result.read_text(encoding="utf-8"))
    history = training["history"]

    learnt = represent(model.predict_on_batch, faces.training.photos, batch_size=64, progress=progress)
    prototypes = getattr(model.head, "prototypes", None)
    if prototypes is not None and len(prototypes.shape) != 2:  # sub-centres
        prototypes = None
    unseen = represent(model.predict_on_batch, lfw.images, flip="sum", batch_size=64, progress=progress)
    pairs = lfw.pairs
    scores = pair_scores(unseen, pairs)
    return RunMeasures(
        variant=planned.variant,
        title=planned.title,
        seed=planned.recipe.seed,
        backbone=model.backbone.name,
        parameters=sum(int(np.prod(weight.shape)) for weight in model.backbone.trainable_weights),
        identities=faces.people,
        images=faces.images,
        faces=faces.fingerprint["listing"],
        steps=training["steps"],
        epochs=training["epochs"],
        best_epoch=training["best_epoch"],
        held_out_accuracy=training["held_out_accuracy"],
        first_loss=history[0]["loss"],
        last_loss=history[-1]["loss"],
        wall_seconds=training["wall_seconds"],
        images_per_second=training["images_per_second"],
        training_angles=class_angles(
            learnt, faces.training.labels, None if prototypes is None else np.asarray(prototypes)
        ),
        lfw=verify(scores, pairs.same, pairs.folds, people=pairs.people),
        lfw_angles=pair_angles(scores, pairs.same),
        lfw_class_angles=class_angles(unseen, _person_of_image(pairs, len(unseen))),
    )


def _person_of_image(pairs, images):
    person = np.zeros(images, np.int64)
    person[pairs.first], person[pairs.second] = pairs.people[:, 0], pairs.people[:, 1]
    return person
