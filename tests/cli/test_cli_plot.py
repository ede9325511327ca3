"""kerasface plot: figures from the command line."""

import sys

import numpy as np
import pytest
from PIL import Image


@pytest.mark.parametrize("figure", ["psi", "target-logits", "boundaries"])
def test_a_curve_is_written(kerasface, tmp_path, figure):
    path = tmp_path / "figures" / f"{figure}.png"
    code, out, _ = kerasface("plot", figure, "--out", path)
    assert code == 0
    assert str(path) in out
    assert np.asarray(Image.open(path).convert("L")).std() > 5


def test_the_toy_experiment_is_written(kerasface, tmp_path, monkeypatch):
    from kerasface.toy import Setting, paper

    monkeypatch.setattr(paper, "paper_settings", lambda d: (Setting("NSL", "normface", embedding_dim=d),))
    path = tmp_path / "toy.png"
    code, out, _ = kerasface("plot", "toy", "--out", path, "--epochs", "1")
    assert code == 0
    assert str(path) in out
    assert Image.open(path).size[1] > 600  # a row for the plane, one for the sphere


def test_errors_say_what_to_do(kerasface, tmp_path):
    (tmp_path / "file").write_text("")
    (tmp_path / "bad.npz").write_text("hello")
    out = tmp_path / "toy.png"
    cases = {
        ("psi", "--out", tmp_path / "a.bmp"): ".png or .svg",
        ("psi", "--out", tmp_path / "file" / "a.png"): "cannot be written",
        ("toy", "--out", tmp_path / "file" / "a.png"): "cannot be written",
        ("toy", "--out", tmp_path / "a.bmp"): ".png or .svg",
        ("toy", "--out", out, "--mnist", tmp_path / "gone.npz"): "gone.npz",
        ("toy", "--out", out, "--mnist", tmp_path / "bad.npz"): "bad.npz",
    }
    for arguments, words in cases.items():
        code, _, err = kerasface("plot", *arguments)
        assert code == 2, arguments
        assert "error: " in err
        assert words in err, (arguments, err)
    assert not out.exists()


def test_a_report_that_is_not_there_says_what_writes_one(kerasface, tmp_path):
    code, _, err = kerasface("plot", "report", tmp_path / "gone.json", "--out", tmp_path)
    assert code == 2
    assert "gone.json: No such file or directory. `kerasface evaluate --json` writes one." in err


def test_a_report_without_matplotlib_says_what_to_install(kerasface, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.startswith("kerasface.plot")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # its import fails from here on
    code, _, err = kerasface("plot", "report", tmp_path / "lfw.json", "--out", tmp_path)
    assert code == 2
    assert "needs matplotlib: pip install matplotlib, or 'kerasface[train]'" in err
