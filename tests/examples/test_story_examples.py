"""Examples 01, 04 … 07 and 10 run as they stand, one after the other as their index says, and on a user's files."""

import re
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from tests.examples.conftest import EXAMPLES, small_backbone


@pytest.fixture(scope="module")
def trained(run, few_people, folder):
    """What 01 wrote; trained shortly, since its figures are nobody's business here."""
    import keras

    fit = keras.Model.fit
    with pytest.MonkeyPatch.context() as patch:
        # One epoch of every fit, and a network of a few layers: what is tested is the script.
        from kerasface import backbones

        patch.setattr(keras.Model, "fit", lambda self, *args, **kwargs: fit(self, *args, **{**kwargs, "epochs": 1}))
        patch.setattr(backbones, "get", lambda name, **kwargs: small_backbone())
        few_people(8)
        printed = run("01")
    assert "embeddings: (4, 32)" in printed
    assert printed.strip().endswith("face.keras")
    return folder / "face.keras"


@pytest.fixture(scope="module")
def exported(run, trained, folder, few_people):
    few_people(20)
    printed = run("05")
    for words in ("face.tflite: fp16", "face.onnx: fp32", "for FAR 0.01, on the people of example 05"):
        assert words in printed
    assert all(float(least) > 0.9999 for least in re.findall(r"faces: least cosine ([\d.]+)", printed))
    return folder / "face.tflite"


def test_04_measures_and_writes_thresholds(run, trained, few_people):
    from kerasface.export import load_trained

    few_people(20)
    printed = run("04")
    assert re.search(r"rendered people: accuracy \d", printed)
    assert "accepts one stranger in 10," in printed
    assert "accepts one stranger in 100," in printed
    assert "not given: rendered people cannot support a false accept rate of 0.0001" in printed
    assert [threshold.far for threshold in load_trained(trained)[1].thresholds] == [1e-1, 1e-2]


def test_06_verifies_without_tensorflow(exported, folder):
    done = subprocess.run(
        [sys.executable, *EXAMPLES.glob("06_*.py")], cwd=folder, capture_output=True, text=True, check=True
    )
    assert "two crops of one person: cosine" in done.stdout
    assert "two people: cosine" in done.stdout
    assert done.stdout.strip().endswith("TensorFlow imported: False")


def test_06_and_07_take_photos(exported, run, hopper_path, fetched_assets, folder):
    assert "the two photos: cosine 1.0000, same person" in run("06", exported, hopper_path, hopper_path)
    person = folder / "people" / "Grace"
    person.mkdir(parents=True)
    Image.open(hopper_path).save(person / "1.jpg")
    beach = folder / "beach.png"
    Image.fromarray(np.full((200, 300, 3), 128, np.uint8)).save(beach)
    (person / "2.png").write_bytes(beach.read_bytes())
    printed = run("07", exported, person.parent, person / "1.jpg", beach)
    assert "2.png: no face found" in printed
    assert re.search(r"1.jpg, face 1: Grace \(nearest Grace, cosine 1.0000, threshold -?[01]", printed)
    assert f"{beach}: no face found" in printed.splitlines()


def test_07_names_some_and_refuses_others(exported, run, folder, few_people):
    few_people(8)
    printed = run("07")
    assert len(re.findall(r"^a new photo of person \d: (person \d|unknown) \(nearest", printed, re.MULTILINE)) == 8
    assert (folder / "people.kfg").stat().st_mode & 0o777 == 0o600


def test_10_defines_trains_and_finds_a_head(run, few_people, patch):
    import keras

    from kerasface import backbones, heads

    patch.setattr(backbones, "get", lambda name, **kwargs: small_backbone())
    few_people(4)
    printed = run("10")
    assert re.findall(r"^(\w+): loss [\d.]+, then [\d.]+$", printed, re.MULTILINE) == ["normface", "square_face"]
    head = heads.get("square_face", num_classes=3, scale=1.0, margin=0.5)
    head.build((None, 2))
    head.prototypes.assign([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0]])
    logits = keras.ops.convert_to_numpy(head(np.array([[1.0, 0.0], [0.6, 0.8]], np.float32), np.array([0, 0])))
    np.testing.assert_allclose(logits, [[1.0, 0.0, -1.0], [0.6 - 0.5 * 0.4, 0.8, -0.6]], atol=1e-6)
    source = next(EXAMPLES.glob("10_*.py")).read_text()
    written = source.split("@heads.register")[1].split("\n\n\n")[0].splitlines()
    assert len([line for line in written if line.strip()]) <= 15


def test_every_example_is_in_the_index_and_on_the_page():
    numbers = sorted(path.name for path in EXAMPLES.glob("[01]*.py"))
    assert [name[:2] for name in numbers] == [f"{number:02d}" for number in range(1, 11)]
    index = (EXAMPLES / "README.md").read_text(encoding="utf-8")
    page = (EXAMPLES.parent / "docs" / "examples.md").read_text(encoding="utf-8")
    for name in numbers:
        assert f"]({name})" in index
        assert f'--8<-- "examples/{name}"' in page
