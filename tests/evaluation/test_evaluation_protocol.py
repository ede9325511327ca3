import numpy as np
import pytest

from kerasface.errors import KerasfaceError
from kerasface.evaluation import (
    Pairs,
    PairSet,
    VerificationReport,
    evaluate_pairs,
    pair_scores,
    pool,
    sample_pairs,
    score_pairs,
    verify,
)


def _unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.fixture
def people(rng):
    """Embeddings with a common offset, as a network without a centred output gives them."""
    labels = np.repeat(np.arange(20), 5)
    centres = rng.normal(size=(20, 8))
    return _unit(centres[labels] + 0.8 * rng.normal(size=(100, 8)) + 2.0), labels


def test_the_mean_of_the_training_folds_is_subtracted(people):
    embeddings, labels = people
    pairs = sample_pairs(labels, num_pairs=80, seed=1, folds=4)
    rows = score_pairs(embeddings, pairs, subtract_mean=True)
    assert rows.shape == (4, 80)
    for fold, row in enumerate(rows):
        shown = [e for a, b, k in zip(pairs.first, pairs.second, pairs.folds, strict=True) if k != fold for e in (a, b)]
        centred = _unit(embeddings - np.mean([embeddings[e] for e in shown], axis=0))
        np.testing.assert_allclose(row, (centred[pairs.first] * centred[pairs.second]).sum(axis=1), atol=1e-5)
    with_mean = verify(rows, pairs.same, pairs.folds)
    # Judged by hand: fold 2 with its own row.
    row, held_out = rows[2].astype(float), pairs.folds == 2
    accepted = row[held_out] >= with_mean.fold_thresholds[2]
    assert with_mean.fold_accuracies[2] == np.mean(accepted == pairs.same[held_out])
    assert with_mean.auc > verify(score_pairs(embeddings, pairs), pairs.same, pairs.folds).auc - 0.02


def test_a_single_fold_has_no_mean_of_others(people):
    embeddings, labels = people
    pairs = sample_pairs(labels, num_pairs=80, seed=1, folds=1)
    with pytest.raises(KerasfaceError, match=r"of the other folds, and there is one: 0\. Give the pairs folds"):
        score_pairs(embeddings, pairs, subtract_mean=True)


def test_l2_orders_as_the_cosine_does(people):
    embeddings, labels = people
    pairs = sample_pairs(labels, num_pairs=80, seed=1, folds=4)
    distance = pair_scores(embeddings, pairs, metric="l2")
    expected = -np.linalg.norm(embeddings[pairs.first] - embeddings[pairs.second], axis=1)
    np.testing.assert_allclose(distance, expected, atol=1e-3)
    cosine = verify(pair_scores(embeddings, pairs), pairs.same, pairs.folds)
    euclid = verify(distance, pairs.same, pairs.folds)
    assert euclid.auc == pytest.approx(cosine.auc, abs=1e-6)
    with pytest.raises(ValueError, match="metric"):
        pair_scores(embeddings, pairs, metric="l1")


def test_a_report_is_drawn_from_images_templates_and_groups(rng):
    # Six videos of three people: the colour is the person, one frame in three shows somebody else's.
    colors = np.array([[200, 20, 20], [20, 200, 20], [20, 20, 200]])
    videos, images = np.repeat(np.arange(6), 3), []
    for frame, video in enumerate(videos):
        person = (video // 2 + (frame % 3 == 0)) % 3
        images.append(np.clip(colors[person] + rng.integers(-9, 9, (4, 4, 3)), 0, 255).astype(np.uint8))
    first, second = np.array([0, 2, 4, 0, 2, 4]), np.array([1, 3, 5, 2, 4, 0])
    pairs = Pairs(
        first, second, first // 2 == second // 2, np.array([0, 1, 0, 0, 1, 1]), np.stack([first, second], 1) // 2
    )
    groups = {"side": np.array(["a", "a", "b", "a", "", "b"])}
    pair_set = PairSet("clips", np.stack(images), pairs, templates=videos, groups=groups)

    def embed(batch):
        return batch.mean(axis=(1, 2)).astype(np.float32)

    report = evaluate_pairs(embed, pair_set, embedder="mean colour")
    assert (report.benchmark, report.embedder, report.result.accuracy_mean) == ("clips", "mean colour", 1.0)
    counts = [(g.attribute, g.group, g.genuine_pairs, g.impostor_pairs) for g in report.groups]
    assert counts == [("side", "a", 2, 1), ("side", "b", 1, 1)]
    assert report.groups[0].accuracy is None, "three pairs say nothing about a group"
    assert report.angles.genuine_counts.sum() == 3
    templates = pool(_unit(embed(np.stack(images))), videos)
    np.testing.assert_allclose(
        report.angles.genuine_mean_degrees, _mean_angle(templates, first[:3], second[:3]), atol=0.1
    )
    assert evaluate_pairs(embed, pair_set, metric="l2").angles.genuine_mean_degrees == pytest.approx(
        report.angles.genuine_mean_degrees, abs=0.1
    )
    read = VerificationReport.from_json(report.to_json())
    assert read.to_json() == report.to_json()
    assert (read.result, read.groups) == (report.result, report.groups)


def _mean_angle(unit, first, second):
    return np.degrees(np.arccos((unit[first] * unit[second]).sum(axis=1))).mean()
