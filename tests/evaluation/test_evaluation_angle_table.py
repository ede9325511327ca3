import numpy as np
import pytest

from kerasface.evaluation import ClassAngles, angle_table, class_angles


def _unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


def _angle(a, b):
    return np.degrees(np.arccos(np.clip(a @ b / np.linalg.norm(a) / np.linalg.norm(b), -1, 1)))


def test_every_angle_equals_plain_loops(rng, monkeypatch):
    monkeypatch.setattr(angle_table, "_BLOCK_SCORES", 20)
    labels = np.array([0, 0, 0, 2, 2, 3, 5, 5, 5, 5])
    embeddings, prototypes = rng.normal(size=(10, 6)) + 0.5, rng.normal(size=(7, 6))
    result = class_angles(embeddings, labels, prototypes)
    people = [0, 2, 3, 5]
    centres = {p: _unit(embeddings[labels == p]).mean(axis=0) for p in people}
    intra = [_angle(e, centres[p]) for e, p in zip(embeddings, labels, strict=True) if p != 3]
    assert result.intra == pytest.approx(np.mean(intra), rel=1e-4)
    assert result.intra_std == pytest.approx(np.std(intra), rel=1e-3)
    inter = [min(_angle(centres[p], centres[q]) for q in people if q != p) for p in people]
    assert result.inter == pytest.approx(np.mean(inter), rel=1e-4)
    to_centre = np.mean([_angle(prototypes[p], centres[p]) for p in people])
    assert result.prototype_to_centre == pytest.approx(to_centre, rel=1e-4)
    between = [min(_angle(prototypes[i], prototypes[j]) for j in range(7) if j != i) for i in range(7)]
    assert result.between_prototypes == pytest.approx(np.mean(between), rel=1e-4)
    units = _unit(np.array([centres[p] for p in people]))
    pairs = [np.exp(-2 * ((units[i] - units[j]) ** 2).sum()) for i in range(4) for j in range(4) if i != j]
    assert result.uniformity == pytest.approx(np.log(np.mean(pairs)), rel=1e-4)
    assert (result.people, result.images, result.dimension) == (4, 10, 6)
    assert ClassAngles.from_json(result.to_json()) == result


def test_an_even_sphere_reaches_its_ideal_and_a_line_does_not(rng):
    even = class_angles(rng.normal(size=(3000, 16)), np.arange(3000))
    assert even.uniformity == pytest.approx(even.uniformity_ideal, abs=0.02)
    assert even.effective_dimensions == pytest.approx(16, rel=0.02)
    assert even.mean_resultant_length < 0.05
    assert even.intra is None
    line = class_angles(np.outer(np.tile([1.0, -1], 50), rng.normal(size=16)), np.arange(100))
    assert line.effective_dimensions == pytest.approx(1, rel=1e-4)
    assert line.uniformity > even.uniformity + 1
    assert line.inter == pytest.approx(0, abs=0.1)


def test_known_angles_on_the_axes():
    result = class_angles(np.eye(3), np.arange(3), np.array([[1.0, 1, 0], [0, 1, 1], [1, 0, 1]]))
    assert (result.inter, result.prototype_to_centre) == (pytest.approx(90), pytest.approx(45, abs=1e-3))
    assert result.between_prototypes == pytest.approx(60, abs=1e-3)
    assert result.mean_resultant_length == pytest.approx(1 / np.sqrt(3))


def test_a_rotation_changes_nothing(rng):
    embeddings, labels = rng.normal(size=(60, 8)), np.arange(60) // 3
    rotation, _ = np.linalg.qr(rng.normal(size=(8, 8)))
    before, after = class_angles(embeddings, labels), class_angles(embeddings @ rotation, labels)
    assert after.intra == pytest.approx(before.intra, rel=1e-5)
    assert after.inter == pytest.approx(before.inter, rel=1e-5)
    assert after.effective_dimensions == pytest.approx(before.effective_dimensions, rel=1e-5)


@pytest.mark.parametrize(
    ("labels", "prototypes", "message"),
    [
        (np.zeros(3, int), None, "two of them"),
        (np.zeros(2, int), None, r"\(3,\) int"),
        (np.arange(3), np.eye(3)[:2], "labels 0 to 2"),
    ],
)
def test_what_cannot_be_measured_is_refused(labels, prototypes, message):
    with pytest.raises(ValueError, match=message):
        class_angles(np.eye(3), labels, prototypes)


@pytest.mark.parametrize("degrees", [(0, 180), (10, 130, 250)])  # of these float32 leaves a sum of 1e-8
def test_a_person_without_a_centre_is_named(degrees):
    angles = np.radians([*degrees, 45])
    with pytest.raises(ValueError, match="cancel out. Received: label 7"):
        class_angles(np.stack([np.cos(angles), np.sin(angles)], axis=1), np.array([7] * len(degrees) + [9]))
