"""Thresholds of the very artefact, and the comparison of all precisions."""

import json

import numpy as np
import pytest
from PIL import Image

from kerasface import KerasfaceError
from kerasface.edge import Embedder, decision_threshold
from kerasface.evaluation import Pairs, PairSet, verify
from kerasface.export import Calibration, export, natural_images, read_crops
from tests.export.samples import SIZE


@pytest.fixture(scope="module")
def people():
    """20 people of 3 images each, alike by a common picture."""
    ours = natural_images(20, height=SIZE, width=SIZE, seed=21).astype(float)
    noise = natural_images(60, height=SIZE, width=SIZE, seed=22)
    return (0.7 * np.repeat(ours, 3, axis=0) + 0.3 * noise).astype(np.uint8), np.repeat(np.arange(20), 3)


@pytest.mark.parametrize("precision", ["fp16", "int8"])
def test_thresholds_are_the_finished_files_own(model, spec, people, tmp_path, precision):
    images, labels = people
    old = spec.replace(
        thresholds=({"cosine": 0.9, "far": 0.1, "calibrated_on": "x", "precision": "fp32", "impostor_pairs": 9},)
    )
    calibration = Calibration(images, labels, "twenty people", fars=(0.1, 1e-9))
    path = tmp_path / "f.tflite"
    report = export(model, path, to="tflite", precision=precision, spec=old, calibration=calibration)
    embedder = Embedder.load(path)
    (threshold,) = embedder.spec.thresholds
    assert report.thresholds == embedder.spec.thresholds
    assert (threshold.precision, threshold.calibrated_on, threshold.far) == (precision, "twenty people", 0.1)
    # Brute force: the floor(far · pairs)-th highest cosine between different people.
    rows = embedder.embed(images)
    first, second = np.triu_indices(len(rows), k=1)
    other = labels[first] != labels[second]
    impostors = np.sort(np.sum(rows[first[other]] * rows[second[other]], axis=1))[::-1]
    assert threshold.cosine == pytest.approx(impostors[int(0.1 * impostors.size) - 1], abs=1e-5)
    assert decision_threshold(embedder.spec) == threshold.cosine
    (path.parent / "f.tflite.json").unlink()
    assert Embedder.load(path).spec.thresholds == (threshold,)  # the file itself tells it too


def test_people_who_support_no_rate_leave_no_file(model, spec, people, tmp_path):
    calibration = Calibration(*people, "twenty people", fars=(1e-9,))
    with pytest.raises(KerasfaceError, match="cannot support"):
        export(model, tmp_path / "f.tflite", to="tflite", spec=spec, calibration=calibration)
    assert list(tmp_path.iterdir()) == []


def test_all_precisions_are_measured_side_by_side(model, spec, people, expected, images, tmp_path):
    pictures, labels = people
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 60, (2, 400))
    pairs = Pairs(first, second, labels[first] == labels[second], np.arange(400) % 4)
    representative = natural_images(64, height=SIZE, width=SIZE, seed=11)
    report = export(
        model, tmp_path / "f.tflite", to="tflite", spec=spec, pair_set=PairSet("pairs", pictures, pairs),
        representative=representative,
    )  # fmt: skip
    assert report.precision == "fp16"
    rows = {row.artefact: row for row in report.comparison.rows}
    assert list(rows) == ["Keras", "fp32", "fp16", "int8", "int8-full"]
    embedded = model.predict(pictures, verbose=0)
    unit = embedded / np.linalg.norm(embedded, axis=1, keepdims=True)
    truth = verify(np.sum(unit[first] * unit[second], axis=1), pairs.same, pairs.folds)
    for name in ("Keras", "fp32"):
        assert rows[name].accuracy == pytest.approx(truth.accuracy_mean)
        assert rows[name].tar_at_far == truth.tar_at_far
    assert rows["int8"].bytes < rows["fp16"].bytes < rows["fp32"].bytes
    assert abs(rows["int8-full"].accuracy - truth.accuracy_mean) < 0.02
    assert json.loads(report.to_json())["comparison"]["genuine_pairs"] == pairs.same.sum()
    text = report.to_markdown()
    assert text.count("| int8") == 2
    assert f"{truth.accuracy_mean:.2%}" in text
    assert "64 generated images" in text


def test_crops_are_spread_over_all_there_are(spec, tmp_path):
    for number in range(100):
        folder = tmp_path / f"p{number // 10}"
        folder.mkdir(exist_ok=True)
        Image.new("RGB", (SIZE, SIZE), (number, 0, 0)).save(folder / f"{number:03d}.png")
    crops = read_crops(tmp_path, spec, count=34, least=10)
    assert crops.shape == (34, SIZE, SIZE, 3)
    np.testing.assert_array_equal(crops[:, 0, 0, 0], np.arange(0, 100, 3))
    assert len(read_crops(tmp_path, spec, count=500, least=10)) == 100
    with pytest.raises(KerasfaceError, match="at least 101 crops are needed. Received: 100"):
        read_crops(tmp_path, spec, count=500, least=101)


def test_photos_that_are_no_crops_are_refused(spec, tmp_path):
    Image.new("RGB", (SIZE + 1, SIZE)).save(tmp_path / "photo.png")
    with pytest.raises(KerasfaceError, match=r"photo.png is no crop .* takes 32×32 pixels. .* 33×32.*kerasface align"):
        read_crops(tmp_path, spec, count=1, least=1)
