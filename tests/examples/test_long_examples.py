"""The examples that train for minutes, or need processes of their own."""

import json
import re
import shutil
import subprocess
import sys

import keras
import numpy as np
import pytest
import torch
from PIL import Image

from kerasface import FaceModel, backbones
from kerasface.errors import KerasfaceError
from kerasface.export import embedder_spec, export, load_trained, natural_images
from kerasface.export.metadata import write_sidecar
from tests.backbones.networks import settle
from tests.examples.conftest import EXAMPLES, small_backbone
from tests.zoo.torch_networks import MBF, perturbed

pytestmark = pytest.mark.slow


def test_02_draws_the_toy_figure(run, patch, folder):
    from kerasface import toy
    from kerasface.toy import Setting, load_digits, paper

    patch.setattr(toy, "load_digits", lambda path: load_digits(path, train=200, test=60))
    patch.setattr(paper, "paper_settings", lambda d: (Setting("NSL", "normface", embedding_dim=d),))
    printed = run("02")
    assert "1/2" in printed
    assert "3-D NSL: within" in printed
    assert Image.open(folder / "toy.png").size[0] > 500


def test_02_takes_mnist_from_a_file(run, patch, folder, rng):
    from kerasface.toy import Setting, paper

    patch.setattr(paper, "paper_settings", lambda d: (Setting("NSL", "normface", embedding_dim=d),))
    digits = {f"x_{part}": rng.integers(0, 256, (200, 28, 28), dtype=np.uint8) for part in ("train", "test")}
    digits |= {f"y_{part}": np.arange(200, dtype=np.uint8) % 10 for part in ("train", "test")}
    np.savez(folder / "mnist.npz", **digits)
    assert "3-D NSL: within" in run("02", "mnist.png", "mnist.npz")
    assert Image.open(folder / "mnist.png").size[0] > 500
    with pytest.raises(KerasfaceError, match="gone.npz"):
        run("02", "mnist.png", "gone.npz")


def test_03_finetunes_and_reports(run, folder):
    keras.utils.set_random_seed(1)
    model = FaceModel(small_backbone())
    model.save(folder / "face.keras")
    write_sidecar(folder / "face.keras", embedder_spec(model, name="small.fresh"))
    printed = run("03")
    assert re.search(r"trained on \d+ people, measured on \d+ others", printed)
    assert re.search(r"strangers accepted: [\d.]+% before, [\d.]+% after", printed)
    report = json.loads((folder / "finetuned" / "report.json").read_text())
    assert f"recognised: {report['before']['recognised']:.1%} before" in printed
    with pytest.raises(SystemExit, match="finetuned holds an earlier run"):
        run("03")


def test_08_trains_on_two_virtual_devices(folder):
    done = subprocess.run(
        [sys.executable, *EXAMPLES.glob("08_*.py")], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "held-out verification" in done.stdout
    assert load_trained(folder / "several" / "best.keras")[1].name == "spherefacenet.cosface_example"
    shutil.rmtree(folder / "several")


def test_09_imports_a_state_dict(run, folder):
    torch.save(perturbed(MBF()).state_dict(), folder / "backbone.pth")
    printed = run("09", folder / "backbone.pth", "mbf")
    assert "against torch: largest difference" in printed
    with pytest.raises(SystemExit, match="imported holds an earlier import"):
        run("09")
    assert "| format | tflite int8" in printed
    assert load_trained(folder / "imported" / "model.keras")[1].name == "mbf.imported"
    shutil.rmtree(folder / "imported")


def test_09_imports_what_05_wrote(run, folder):
    backbone = backbones.get("mobilefacenet", width=0.125, embedding_dim=16)
    settle(backbone, (natural_images(8, height=112, width=112) - np.float32(127.5)) / 127.5)
    model = FaceModel(backbone)
    export(model, folder / "face.onnx", to="onnx", spec=embedder_spec(model, name="mobilefacenet.example"))
    printed = run("09")
    assert "mobilefacenet from face.onnx: 16 numbers from (112, 112, 3) pixels" in printed
    assert "against ONNX Runtime: largest difference" in printed
    assert "| format | tflite int8" in printed
