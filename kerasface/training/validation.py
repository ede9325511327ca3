"""Validation: verification on people held out of training, never on a benchmark."""

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.evaluation import pair_scores, represent, sample_pairs, verify

__all__ = ["HeldOutVerification"]

# A draw that compares all people equally often has few pairs. On 153 people the AUC of one network differed by 0.008
# (standard deviation) from draw to draw, more than two epochs differ.
_DRAWS = 10


class HeldOutVerification:
    """What a model is worth on people held out: the same photos and pairs every time.

    Args:
        faces: `FaceSource` of people that training never sees.
        pairs: how many pairs a draw, half of them genuine; a multiple of `2 * folds`.
        folds: of the protocol.
        seed: of the first draw's pairs; the others have the numbers that follow.

    Raises:
        KerasfaceError: too few people or images for so many pairs.

    Example:
        >>> HeldOutVerification(held_out, pairs=3000, folds=10, seed=0)(model)["held_out_accuracy"]
        0.83
    """

    def __init__(self, faces, *, pairs, folds, seed):
        self.faces = faces
        try:
            self.draws = [
                sample_pairs(faces.labels, num_pairs=pairs, seed=seed + number, folds=folds) for number in range(_DRAWS)
            ]
        except KerasfaceError as error:
            raise KerasfaceError(
                f"too little held out: {error} (In a recipe: validation.pairs, validation.folds, data.held_out; or for "
                f"one run, {_way_out(faces.labels, pairs, folds, seed)}.)"
            ) from error

    def __call__(self, model, targets=None):
        """Returns the figures of a `FaceModel`, by the names that a run's log gives them.

        Accuracy, mean and standard deviation over the folds, is the first draw's; AUC is the mean of ten draws. With
        `targets`, a teacher's unit embeddings (N, D) of the photos held out, the mean cosine to them is there too.
        """
        unit = represent(model.predict_on_batch, self.faces.photos, batch_size=64)
        results = [verify(pair_scores(unit, pairs), pairs.same, pairs.folds) for pairs in self.draws]
        figures = {
            "held_out_accuracy": results[0].accuracy_mean,
            "held_out_accuracy_std": results[0].accuracy_std,
            "held_out_auc": float(np.mean([result.auc for result in results])),
        }
        if targets is not None:
            figures["held_out_teacher_cosine"] = float(np.mean(np.sum(unit * targets, axis=1)))
        return figures


def _way_out(labels, pairs, folds, seed):
    """Settings with which these very people can be verified, or what else helps."""
    folds = min(folds, len(np.unique(labels)) // 2)
    while folds >= 2 and pairs >= 20:  # the least that a recipe takes
        pairs -= pairs % (2 * folds)
        try:
            sample_pairs(labels, num_pairs=pairs, seed=seed, folds=folds)
        except (KerasfaceError, ValueError):
            pairs //= 2
        else:
            return f"such as --set validation.pairs={pairs} --set validation.folds={folds}"
    return "a larger --set data.held_out, or photos of more people"
