import dataclasses

import numpy as np
import pytest

from kerasface.toy import Setting, ToyRun, feature_sheet, load_digits


@pytest.fixture
def digits():
    return load_digits(train=50, test=40).only((0, 1))


def _run(digits, rng, dimension, name="a head"):
    features = rng.normal(size=(len(digits.test_labels), dimension)).astype("float32")
    features[:, 0] = 9 * (1 - 2 * digits.test_labels)  # the classes lie on either side
    setting = Setting(name, "softmax", embedding_dim=dimension)
    return ToyRun(setting, features, features, np.eye(2, dimension, dtype="float32"), (1.0,), 1.0, 1.0)


def test_the_plane_shows_the_features_as_they_are(digits, rng):
    run = _run(digits, rng, 2)
    (axis,) = feature_sheet([run], digits).axes
    for label, points in enumerate(axis.collections):
        np.testing.assert_allclose(points.get_offsets(), run.test_features[digits.test_labels == label])
    directions = [line.get_xydata()[1] / np.linalg.norm(line.get_xydata()[1]) for line in axis.lines]
    np.testing.assert_allclose(directions, [[1, 0], [0, 1]])
    assert [text.get_text() for text in axis.texts] == ["0", "1"]
    assert axis.get_aspect() == 1


def test_the_sphere_shows_directions(digits, rng):
    run = _run(digits, rng, 3)
    (axis,) = feature_sheet([run], digits).axes
    assert axis.name == "mollweide"
    for label, points in enumerate(axis.collections):
        longitude, latitude = np.asarray(points.get_offsets()).T
        vectors = np.stack(
            [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)], axis=1
        )
        features = run.test_features[digits.test_labels == label]
        np.testing.assert_allclose(vectors, features / np.linalg.norm(features, axis=1, keepdims=True), atol=1e-5)


def test_each_panel_bears_its_name_and_spread(digits, rng):
    run = _run(digits, rng, 2, name="CosFace, m = 0.35")
    features = np.where(digits.test_labels[:, None] == 0, [1.0, 0], [0, 1.0])
    features[np.flatnonzero(digits.test_labels == 0)[:2]] = [[1, 1], [1, -1]]
    (axis,) = feature_sheet([dataclasses.replace(run, test_features=features)], digits).axes
    zeros = (digits.test_labels == 0).sum()
    expected = f"CosFace, m = 0.35\nwithin {2 * 45 / zeros / 2:.1f}°, nearest class 90°"
    assert axis.get_title() == expected


def test_another_dimension_begins_a_new_row(digits, rng):
    runs = [_run(digits, rng, dimension) for dimension in (2, 2, 2, 3, 3)]
    drawing = feature_sheet(runs, digits, columns=2)
    places = [(axis.get_subplotspec().rowspan.start, axis.get_subplotspec().colspan.start) for axis in drawing.axes]
    assert places == [(0, 0), (0, 1), (1, 0), (2, 0), (2, 1)]


def test_no_runs_are_refused(digits):
    with pytest.raises(ValueError, match="no runs"):
        feature_sheet([], digits)
