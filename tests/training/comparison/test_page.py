"""The page says of a comparison's runs what their measures say, each under its own heading."""

import dataclasses
from pathlib import Path

import pytest

from kerasface.training.comparison import ComparisonResult, Diverged, RunMeasures, write_page

MEASURES = Path(__file__).parents[3] / "docs" / "results" / "heads_celeba" / "softmax" / "seed_1" / "measures.json"


@pytest.fixture
def run():
    return RunMeasures.from_json(MEASURES.read_text(encoding="utf-8"))


def page_of(tmp_path, *runs, diverged=(), planned=None):
    result = ComparisonResult("tiny", planned or len(runs) + len(diverged), runs, diverged, "1")
    return write_page(result, tmp_path / "page.md").read_text(encoding="utf-8")


def row(page, heading, title):
    """The cells of one row of the table below a heading, by their column."""
    lines = page.split(f"## {heading}\n")[1].split("\n## ")[0].splitlines()
    table = [[cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if line.startswith("| ")]
    return dict(zip(table[0], next(cells for cells in table[1:] if cells[0] == title), strict=True))


def with_lfw(run, **changes):
    return dataclasses.replace(run, lfw=dataclasses.replace(run.lfw, **changes))


def test_every_figure_stands_below_its_heading(run, tmp_path):
    page = page_of(tmp_path, run)
    accuracy = row(page, "Verification", "softmax")
    assert accuracy["AUC"] == f"{run.lfw.auc:.4f}"
    assert accuracy["LFW accuracy"] == f"{run.lfw.accuracy_mean:.2%} ± {run.lfw.accuracy_std:.2%}"
    assert accuracy["TAR at FAR 0.001"] == f"{run.lfw.tar_at_far[1e-3]:.2%}"
    assert accuracy["held out"] == f"{run.held_out_accuracy:.2%}"
    angles = row(page, "Angles within and between people", "softmax")
    shown = {
        "W-EC": run.training_angles.prototype_to_centre,
        "W-Inter": run.training_angles.between_prototypes,
        "Intra1": run.training_angles.intra,
        "Inter1": run.training_angles.inter,
        "Intra2": run.lfw_class_angles.intra,
        "Inter2": run.lfw_class_angles.inter,
        "genuine pairs": run.lfw_angles.genuine_mean_degrees,
        "impostor pairs": run.lfw_angles.impostor_mean_degrees,
    }
    assert {name: angles[name] for name in shown} == {name: f"{value:.1f}" for name, value in shown.items()}
    losses = row(page, "Training", "softmax")
    assert (losses["first loss"], losses["last loss"]) == (f"{run.first_loss:.3f}", f"{run.last_loss:.3f}")
    assert losses["best epoch"] == f"{run.best_epoch} of {run.epochs}"


def test_several_seeds_are_a_mean_and_each(run, tmp_path):
    other = dataclasses.replace(with_lfw(run, accuracy_mean=run.lfw.accuracy_mean - 0.02), seed=2)
    cells = row(page_of(tmp_path, run, other), "Verification", "softmax")
    assert cells["seeds"] == "2"
    assert cells["LFW accuracy"].startswith(f"{run.lfw.accuracy_mean - 0.01:.2%} ±")
    assert cells["each"] == f"{run.lfw.accuracy_mean:.2%}, {run.lfw.accuracy_mean - 0.02:.2%}"


def test_a_rate_that_one_run_cannot_support_is_printed_for_none(run, tmp_path):
    poorer = with_lfw(run, tar_at_far={**run.lfw.tar_at_far, 1e-3: None})
    page = page_of(tmp_path, run, dataclasses.replace(poorer, seed=2))
    assert "TAR at FAR 0.001 is not printed" in page
    assert row(page, "Verification", "softmax")["TAR at FAR 0.01"] == f"{run.lfw.tar_at_far[1e-2]:.2%}"


def test_what_is_missing_is_said(run, tmp_path):
    assert "to come" not in page_of(tmp_path, run)
    assert "1 of 3 runs are done; the rest is still to come" in page_of(tmp_path, run, planned=3)
    page = page_of(tmp_path, run, diverged=(Diverged("arcface", "ArcFace", 1, 1234),))
    assert "ArcFace, seed 1: the loss became no number at step 1,234; no model." in page
    assert "to come" not in page
