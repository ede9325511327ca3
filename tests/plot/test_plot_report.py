import re

import numpy as np
import pytest

from kerasface import plot
from kerasface.evaluation import Pairs, PairSet, Report, evaluate_people, megaface, report_pairs, roc_curve


def _report(rng):
    same = np.arange(400) % 2 == 0
    pairs = Pairs(np.zeros(400, int), np.ones(400, int), same, np.arange(400) // 100)
    scores = np.clip(rng.normal(0.0, 0.15, 400) + 0.3 * same, -1, 1)
    images = rng.integers(0, 256, (60, 4, 4, 3), dtype=np.uint8)
    labels = np.append(np.arange(15).repeat(2), np.arange(20, 50))
    return Report(
        report_pairs(scores, PairSet("a set", (), pairs), flip="none", embedder="<b>e</b>"),
        evaluate_people(lambda b: b.reshape(len(b), -1) - 127.0, images, labels, benchmark="people"),
        megaface(rng.normal(size=(6, 6)), np.arange(6) // 3, rng.normal(size=(50, 6))),
        "0.0",
    )


def _lines(drawing):
    return [line.get_data() for line in drawing.axes[0].lines]


def test_every_figure_comes_back_from_the_json(rng):
    report = _report(rng)
    figures, again = plot.report_figures(report), plot.report_figures(Report.from_json(report.to_json()))
    assert list(figures) == ["roc", "det", "angles", "cmc", "identification_det", "megaface_cmc"]
    for name, drawing in figures.items():
        for one, other in zip(_lines(drawing), _lines(again[name]), strict=True):
            np.testing.assert_array_equal(one, other)
    assert plot.report_figures(Report(None, None, None, "0.0")) == {}


def test_a_det_is_the_roc_read_as_errors(rng):
    same = np.arange(3000) % 3 == 0
    curve = roc_curve(rng.normal(size=3000) + 1.5 * same, same)
    axis = plot.det({"model": curve}, rates=("FPIR", "FNIR")).axes[0]
    (line,) = axis.lines
    x, y = line.get_data()
    for far in (0.002, 0.01, 0.3):
        index = np.searchsorted(curve.far, far, side="right") - 1
        assert y[np.searchsorted(x, far, side="right") - 1] == pytest.approx(1 - curve.tar[index])
    assert (axis.get_xscale(), axis.get_yscale(), axis.get_xlabel()) == ("log", "log", "FPIR")
    assert x[0] == 3 / 2000
    assert y.min() > 0
    with pytest.raises(ValueError, match="no results"):
        plot.det({})
    with pytest.raises(ValueError, match="support no rate"):
        plot.det({"x": roc_curve([0.1, 0.2, 0.3], np.array([True, False, False]))})


def test_a_cmc_starts_at_rank_one():
    (line,) = plot.cmc({"model": (0.7, 0.8, 0.9)}).axes[0].lines
    assert line.get_xdata().tolist() == [1, 2, 3]
    assert line.get_ydata().tolist() == [0.7, 0.8, 0.9]
    with pytest.raises(ValueError, match="without ranks"):
        plot.cmc({"model": ()})


def test_the_page_holds_every_row_and_figure_and_escapes_names(rng, tmp_path):
    report = _report(rng)
    text = plot.write_report_page(report, tmp_path / "sub" / "page.html").read_text()
    assert text.count("data:image/png;base64,") == 6
    assert "&lt;b&gt;e&lt;/b&gt; on a set" in text
    assert "1 − FNMR at FMR 0.1" in text
    assert not re.search(r'(src|href)="http', text)


def test_failures_show_the_worst_pairs(rng):
    images = np.stack([np.full((4, 4, 3), value, np.uint8) for value in (10, 60, 110, 160)])
    pairs = Pairs([0, 2, 0, 1], [1, 3, 2, 3], [True, True, False, False], [0, 1, 0, 1])
    drawing = plot.failure_grid(np.array([0.9, 0.1, 0.2, 0.8]), PairSet("s", images, pairs), count=1)
    shown = [axis.images[0].get_array() for axis in drawing.axes]
    assert [np.unique(np.asarray(picture)).tolist() for picture in shown] == [[110, 160], [60, 160]]
    assert [axis.get_xlabel() for axis in drawing.axes] == ["one person\n0.100", "two people\n0.800"]
    templates = PairSet("s", images, Pairs([0, 0], [1, 1], [True, False], [0, 1]), templates=np.array([1, 0, 0, 1]))
    shown = [axis.images[0].get_array() for axis in plot.failure_grid(np.array([0.5, 0.4]), templates).axes]
    assert np.unique(np.asarray(shown[0])).tolist() == [10, 60]
