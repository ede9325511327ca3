"""Validation on people held out: its figures; and where they are too few, what is recommended works."""

import re
import types

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from kerasface.data import FaceSource, read_folder, split_identities, write_class_folder
from kerasface.errors import KerasfaceError
from kerasface.evaluation import sample_pairs, verify
from kerasface.training.validation import HeldOutVerification


def faces_of(people, images):
    labels = np.repeat(np.arange(people), images)
    return FaceSource.of_files(tuple(map(str, range(people))), labels, [f"{row}.png" for row in range(len(labels))])


@pytest.mark.parametrize(
    ("people", "images", "pairs", "folds"),
    [(6, 9, 200, 5), (7, 4, 3000, 10), (40, 6, 3000, 10), (5, 40, 3000, 10)],
)
def test_the_settings_that_are_recommended_can_be_taken(people, images, pairs, folds):
    with pytest.raises(KerasfaceError, match="too little held out") as error:
        HeldOutVerification(faces_of(people, images), pairs=pairs, folds=folds, seed=3)
    told = re.search(r"such as --set validation\.pairs=(\d+) --set validation\.folds=(\d+)\.\)$", str(error.value))
    fewer, less = map(int, told.groups())
    assert (fewer, less) != (pairs, folds)
    assert less == min(folds, people // 2)
    # No smaller than it must be: twice as many can't be drawn.
    made = HeldOutVerification(faces_of(people, images), pairs=fewer, folds=less, seed=3)
    assert {len(pairs.same) for pairs in made.draws} == {fewer}
    if 2 * fewer <= pairs:
        with pytest.raises(KerasfaceError):
            HeldOutVerification(faces_of(people, images), pairs=2 * (fewer + 2 * less), folds=less, seed=3)


def test_the_figures_are_those_of_the_draws_and_of_the_teacher(rng, tmp_path):
    labels = np.repeat(np.arange(20), 5)
    write_class_folder(rng.integers(0, 256, (len(labels), 8, 8, 3), dtype=np.uint8), labels, tmp_path)
    rows = rng.normal(size=(len(labels), 4)) + np.eye(20, 4)[labels]
    given = iter(np.split(rows, [64]))  # validation embeds 64 photos at once
    model = types.SimpleNamespace(predict_on_batch=lambda images: next(given))
    unit = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    # A teacher whose embeddings lie 60 degrees from the model's.
    aside = np.linalg.qr(np.stack([unit, rng.normal(size=unit.shape)], axis=2))[0][:, :, 1]
    targets = np.cos(np.pi / 3) * unit + np.sin(np.pi / 3) * aside
    found = HeldOutVerification(read_folder(tmp_path), pairs=80, folds=4, seed=6)(model, targets)

    areas = []
    for seed in range(6, 16):
        pairs = sample_pairs(labels, num_pairs=80, seed=seed, folds=4)
        scores = (unit[pairs.first] * unit[pairs.second]).sum(axis=1)
        areas.append(roc_auc_score(pairs.same, scores))
        if seed == 6:
            first = verify(scores, pairs.same, pairs.folds)
    assert found == {
        "held_out_accuracy": first.accuracy_mean,
        "held_out_accuracy_std": first.accuracy_std,
        "held_out_auc": pytest.approx(np.mean(areas), abs=1e-6),
        "held_out_teacher_cosine": pytest.approx(np.cos(np.pi / 3), abs=1e-6),
    }
    assert np.std(areas) > 0.01


@pytest.mark.parametrize(("people", "images"), [(3, 9), (4, 2)])
def test_where_no_setting_helps_more_people_do(people, images):
    with pytest.raises(KerasfaceError, match=r"for one run, a larger --set data\.held_out, or photos of more people\."):
        HeldOutVerification(faces_of(people, images), pairs=200, folds=5, seed=3)


def test_the_least_number_of_people_is_the_guides():
    def held_out(people):
        faces = faces_of(people, 6)
        training, validated = split_identities(faces.labels, fraction=0.3, seed=1)
        assert len(faces.select(training)) >= 128 or people < 32
        return HeldOutVerification(faces.select(validated), pairs=200, folds=5, seed=1)

    assert held_out(32).draws[0].same.sum() == 100
    with pytest.raises(KerasfaceError, match="5 folds need at least 10 people"):
        held_out(31)
