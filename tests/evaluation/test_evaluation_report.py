"""Reports: the tables say what the results hold, and the JSON brings everything back."""

import csv
import io
import json
import re

import numpy as np
import pytest

from kerasface.edge import decision_threshold
from kerasface.errors import KerasfaceError
from kerasface.evaluation import (
    Pairs,
    PairSet,
    Report,
    calibrate_embedder,
    evaluate_people,
    first_images,
    megaface,
    report_pairs,
    report_rows,
    to_csv,
    to_markdown,
    worst_pairs,
)
from kerasface.spec import EmbedderSpec, Threshold


@pytest.fixture(scope="module")
def report():
    rng = np.random.default_rng(7)
    same = np.tile(np.repeat([True, False], 20), 10)
    first = np.arange(400) % 80
    people = np.stack([first, np.where(same, first, first + 1)], axis=1)
    pairs = Pairs(first, first, same, np.repeat(np.arange(10), 40), people)
    scores = np.clip(rng.normal(0.05, 0.15, 400) + 0.5 * same, -1, 1)
    pair_set = PairSet("a set", (), pairs, groups={"age": np.where(np.arange(400) % 2, "old", "young")})
    verification = report_pairs(scores, pair_set, flip="sum", embedder="an embedder")
    images = rng.integers(0, 256, (60, 4, 4, 3), dtype=np.uint8)
    labels = np.append(np.arange(15).repeat(2), np.arange(20, 50))
    identification = evaluate_people(_embed, images, labels, benchmark="people", threshold=0.99)
    found = megaface(rng.normal(size=(12, 6)), np.arange(12) // 3, rng.normal(size=(3000, 6)))
    return Report(verification, identification, found, "0.0")


def _embed(batch):
    return batch.reshape(len(batch), -1).astype(np.float32) - 127


def test_the_json_brings_everything_back(report):
    text = report.to_json()
    read = Report.from_json(text)
    assert read.to_json() == text
    assert read.verification.result == report.verification.result
    assert read.identification.searches == report.identification.searches
    assert read.megaface == report.megaface
    np.testing.assert_array_equal(read.verification.curve.far, report.verification.curve.far)
    empty = Report(None, None, None, "0.0")
    assert Report.from_json(empty.to_json()).verification is None
    with pytest.raises(ValueError, match="a VerificationReport is a JSON object"):
        Report.from_json(json.dumps({**json.loads(text), "verification": {"a": 1}}))


def test_rows_name_the_figures_as_papers_and_iso_do(report):
    rows = {row.figure: row for row in report_rows(report)}
    result = report.verification.result
    assert rows["accuracy, 10 folds"].value == result.accuracy_mean
    assert rows["accuracy, 10 folds"].interval == result.intervals.accuracy
    assert rows["TAR at FAR 0.1"].iso == "1 − FNMR at FMR 0.1"
    assert rows["TAR at FAR 0.1"].value == result.tar_at_far[0.1]
    assert rows["TAR at FAR 1e-06"].text == "too few impostor pairs"
    assert rows["FAR of age = old"].value == report.verification.groups[0].fmr
    search = report.identification.searches["one image"]
    assert rows["rank 1, one image"].value == search.rank1
    assert rows["rank 5, one image"].value == search.cmc[4] > search.cmc[3]
    assert rows["DIR at FAR 0.1, one image"].text == f"{search.dir_at_fpir[0.1]:.2%}"
    assert rows["DIR at FAR 0.001, one image"].value is None
    assert rows["rank 1 among 1,000 distractors"].value == report.megaface.rank1[2]


def test_csv_and_markdown_hold_every_row(report):
    rows = report_rows(report)
    read = list(csv.DictReader(io.StringIO(to_csv(report))))
    assert [line["figure"] for line in read] == [row.figure for row in rows]
    for line, row in zip(read, rows, strict=True):
        assert (line["value"] == "") == (row.value is None)
        assert line["value"] == "" or float(line["value"]) == row.value
        assert line["low"] == "" or (float(line["low"]), float(line["high"])) == row.interval
    lines = to_markdown(report).splitlines()
    assert len(lines) == len(rows) + 2
    assert lines[2].startswith("| accuracy, 10 folds |")
    assert {line.count("|") for line in lines} == {5}


def test_an_interval_has_the_unit_of_its_value(report):
    auc, rate = (next(line for line in to_markdown(report).splitlines() if name in line) for name in ("AUC", "equal"))
    assert re.fullmatch(r"\| AUC \|  \| 0\.\d{4} \| 0\.\d{4} – [01]\.\d{4} \|", auc)
    assert re.fullmatch(r"\| equal error rate \| FMR = FNMR \| [\d.]+% \| [\d.]+% – [\d.]+% \|", rate)


def test_people_with_one_image_are_the_strangers():
    gallery, probes = first_images(np.array([3, 1, 3, 2, 3, 1]))
    assert gallery.tolist() == [True, True, False, False, False, False]
    assert probes.tolist() == [False, False, True, True, True, True]
    with pytest.raises(KerasfaceError, match="two images or more"):
        evaluate_people(_embed, np.zeros((2, 4, 4, 3), np.uint8), np.arange(2), benchmark="x")


def test_the_worst_pairs_come_first():
    scores, same = np.array([0.9, 0.2, 0.5, 0.8, 0.1]), np.array([True, True, True, False, False])
    genuine, impostor = worst_pairs(scores, same, 2)
    assert (genuine.tolist(), impostor.tolist()) == ([1, 2], [3, 4])
    with pytest.raises(ValueError, match="count"):
        worst_pairs(scores, same, 0)


def test_calibration_replaces_all_thresholds(rng):
    old = (Threshold(0.6, 0.2, "before", "fp32", 99), Threshold(0.95, 0.01, "before", "int8", 99))
    size = {"input_height": 4, "input_width": 4}
    spec = EmbedderSpec(name="e", embedder_id="0" * 32, embedding_size=48, thresholds=old, **size)
    images, labels = rng.integers(0, 256, (40, 4, 4, 3), dtype=np.uint8), np.arange(40) // 2
    arguments = {"calibrated_on": "our staff", "precision": "fp32"}
    calibrated, left_out = calibrate_embedder(_embed, spec, images, labels, fars=(0.1, 1e-4), **arguments)
    (threshold,) = calibrated.thresholds
    assert (threshold.far, threshold.precision, threshold.calibrated_on) == (0.1, "fp32", "our staff")
    assert decision_threshold(calibrated) == threshold.cosine
    again, _ = calibrate_embedder(_embed, calibrated, images, labels, fars=(0.1,), **arguments)
    assert again == calibrated
    assert threshold.far_upper > 0.1
    assert "30,000 impostor pairs" in left_out[1e-4]
    with pytest.raises(KerasfaceError, match="our staff cannot support"):
        calibrate_embedder(_embed, spec, images, labels, fars=(1e-4,), **arguments)
    photos = np.zeros((4, 6, 5, 3), np.uint8)
    with pytest.raises(KerasfaceError, match="aligned crops of 4×4 pixels .* Received: 5×6. Align the photos first"):
        calibrate_embedder(_embed, spec, photos, [0, 0, 1, 1], fars=(0.1,), **arguments)
    assert EmbedderSpec.from_json(calibrated.to_json()) == calibrated
