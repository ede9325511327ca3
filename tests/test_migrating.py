"""Our side of docs/migrating.md runs, from top to bottom, as it stands."""

import json
import re
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
import torch
from PIL import Image

from kerasface.data import render_identities, write_class_folder, write_verification_bin
from kerasface.export import load_trained
from tests.doc_scripts import ROOT
from tests.zoo.torch_networks import MBF, perturbed

pytestmark = pytest.mark.slow
PAGE = ROOT / "docs" / "migrating.md"
BLOCK = re.compile(r'```python title="([^"]+)"\n(.*?)```', re.DOTALL)


def write_h5_of_keras_2(path):
    """A small network in an .h5 with the argument of DepthwiseConv2D that only Keras 2 has."""
    images = keras.Input((112, 112, 3))
    x = keras.layers.DepthwiseConv2D(3, strides=4)(keras.layers.Conv2D(4, 3, strides=4)(images))
    keras.Model(images, keras.layers.Dense(8)(keras.layers.Flatten()(x))).save(path)
    with h5py.File(path, "r+") as file:
        config = json.loads(file.attrs["model_config"])
        for layer in config["config"]["layers"]:
            if layer["class_name"] == "DepthwiseConv2D":
                layer["config"]["groups"] = 1
        file.attrs["model_config"] = json.dumps(config)


@pytest.fixture
def folder(tmp_path, monkeypatch, model_files, hopper_path, fetched_assets):
    """What the page's reader has: a file, photos of Ann and of a party, people, faces, a .bin and a checkpoint."""
    monkeypatch.chdir(tmp_path)
    Path("face.tflite").write_bytes(model_files["tflite"].read_bytes())
    portrait = Image.open(hopper_path)
    portrait.save("ann_1.jpg")
    portrait.rotate(3).save("ann_2.jpg")
    Image.fromarray(np.concatenate([np.asarray(portrait)] * 2, axis=1)).save("party.jpg")
    Path("people/Ann").mkdir(parents=True)
    portrait.save("people/Ann/1.jpg")
    images, labels = render_identities(6, 4, seed=0)
    write_class_folder(images, labels, "faces")
    encoded = [path.read_bytes() for path in sorted(Path("faces").rglob("*.png"))]
    write_verification_bin(encoded[:20], [True, False] * 5, "agedb_30.bin")
    torch.save(perturbed(MBF()).state_dict(), "backbone.pth")
    write_h5_of_keras_2("basic.h5")
    return tmp_path


def test_every_block_of_ours_runs(folder):
    names = {}
    ours = [code for title, code in BLOCK.findall(PAGE.read_text(encoding="utf-8")) if title == "kerasface"]
    assert len(ours) >= 11
    for code in ours:
        exec(compile(code, str(PAGE), "exec"), names)
    assert names["verified"]
    assert len(names["faces"].names) == 6  # of the last section; the photo's two faces were embedded before
    assert len(names["embeddings"]) == 2
    assert names["name"] == "Ann"
    assert names["crop"].shape == (112, 112, 3)
    assert names["images"][0] is not None
    assert (folder / "imported" / "model.keras").is_file()
    assert load_trained("basic.keras")[0].predict(names["crop"][None], verbose=0).shape == (1, 8)
    assert load_trained("basic.keras")[1].std == (128.0, 128.0, 128.0)
    assert names["report"].parity.min_cosine > 0.9999
    assert 0 <= names["accuracy"] <= 1


def test_every_call_of_theirs_has_ours():
    titles = [
        title for title, _ in re.findall(r'```(?:python|sh) title="([^"]+)"\n(.*?)```', PAGE.read_text(), re.DOTALL)
    ]
    theirs = [title for title in titles if title != "kerasface"]
    assert {"DeepFace", "insightface", "arcface_torch", "Keras_insightface"} == set(theirs)
    assert len(theirs) == titles.count("kerasface") + 1  # the configuration's counterpart is YAML
