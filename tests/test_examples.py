"""The quick example scripts run as they stand."""

import runpy
import sys
from pathlib import Path

import pytest
from PIL import Image

EXAMPLES = Path(__file__).parents[1] / "examples"


@pytest.mark.parametrize("name", ["plot_psi", "plot_target_logits", "plot_boundaries"])
def test_a_figure_is_drawn(name, tmp_path, monkeypatch, capsys):
    path = tmp_path / "figure.png"
    monkeypatch.setattr(sys, "argv", [name, str(path)])
    runpy.run_path(str(EXAMPLES / f"{name}.py"), run_name="__main__")
    assert capsys.readouterr().out.strip() == str(path)
    assert Image.open(path).size[0] > 500


def test_the_toy_experiment_is_drawn(tmp_path, monkeypatch, capsys):
    from kerasface import toy
    from kerasface.toy import Setting, load_digits, paper

    monkeypatch.setattr(toy, "load_digits", lambda path: load_digits(path, train=200, test=60))
    monkeypatch.setattr(paper, "paper_settings", lambda d: (Setting("NSL", "normface", embedding_dim=d),))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["plot_toy"])
    runpy.run_path(str(EXAMPLES / "plot_toy.py"), run_name="__main__")
    printed = capsys.readouterr().out
    assert "1/2" in printed
    assert "3-D NSL: within" in printed
    assert Image.open(tmp_path / "toy.png").size[0] > 500
