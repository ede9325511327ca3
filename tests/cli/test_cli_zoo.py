"""kerasface zoo import, and what other commands make of its result."""

import numpy as np
import pytest
import torch

from tests.zoo.torch_networks import MBF, perturbed


@pytest.fixture(scope="module")
def state_dict(tmp_path_factory):
    path = tmp_path_factory.mktemp("weights") / "backbone.pth"
    torch.save(perturbed(MBF()).state_dict(), path)
    return path


def test_import_then_export_then_embed(kerasface, state_dict, tmp_path, monkeypatch):
    from kerasface.edge import Embedder
    from kerasface.export import natural_images

    monkeypatch.setenv("KERASFACE_CACHE", str(tmp_path))
    code, out, err = kerasface(
        "zoo", "import", state_dict, "--arch", "mbf", "--name", "mbf.new", "--color-order", "bgr", "--licence", "MIT"
    )
    assert code == 0, err
    assert "against torch" in out
    assert "min cosine 1.0000" in out
    assert "BGR" in out
    model = tmp_path / "zoo" / "mbf.new" / "model.keras"
    assert f"model: {model}" in out
    code, _, err = kerasface("export", model, "--to", "tflite", "--out", tmp_path / "new.tflite")
    assert code == 0, err
    embedder = Embedder.load(tmp_path / "new.tflite")
    assert (embedder.spec.name, embedder.spec.licence, embedder.spec.color_order) == ("mbf.new", "MIT", "bgr")
    assert np.isfinite(embedder.embed(natural_images(2, height=32, width=32))).all()


def test_errors_say_what_to_do(kerasface, state_dict, tmp_path):
    out = tmp_path / "out"
    text = tmp_path / "weights.txt"
    text.write_text("no weights")
    cases = {
        (tmp_path / "gone.pth", "--arch", "mbf"): "gone.pth",
        (text, "--arch", "mbf"): "no source of weights",
        (state_dict, "--arch", "resnet"): "expected one of iresnet18",
        (state_dict, "--arch", "iresnet18"): "no tensor 'fc.weight'",
        (state_dict, "--arch", "mbf", "--mean", "127.5"): "both mean and std",
        (state_dict, "--arch", "mbf", "--images", tmp_path / "gone"): "no folder",
    }
    for arguments, words in cases.items():
        code, _, err = kerasface("zoo", "import", *arguments, "--name", "new", "--out", out)
        assert code == 2, arguments
        assert "error: " in err
        assert words in err, (arguments, err)
        assert not out.exists()
