"""kerasface zoo import, and what other commands make of its result."""

import hashlib
import json
import re

import numpy as np
import pytest
import torch
from PIL import Image
from rich.console import Console

from kerasface.edge.metadata import read_spec
from kerasface.export.metadata import write_sidecar
from kerasface.spec import Threshold
from tests.zoo.torch_networks import MBF, perturbed
from tests.zoo.zoo_server import CONTENT, NAME, SHA256, SPEC, manifest


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
        "zoo", "import", state_dict, "--arch", "mbf", "--name", "mbf.new", "--mean", "127", "--std", "128",
        "--color-order", "bgr", "--licence", "MIT",
    )  # fmt: skip
    assert code == 0, err
    assert "against torch" in out
    assert "min cosine 1.0000" in out
    assert "BGR" in out
    model = tmp_path / "zoo" / "mbf.new" / "model.keras"
    assert f"model: {model}" in out
    code, out, _ = kerasface("zoo", "ls", "--local")
    assert code == 0
    assert "mbf.new" in out
    assert "MIT" in out
    code, _, err = kerasface("export", model, "--to", "tflite", "--out", tmp_path / "new.tflite")
    assert code == 0, err
    embedder = Embedder.load(tmp_path / "new.tflite")
    assert (embedder.spec.name, embedder.spec.licence, embedder.spec.color_order) == ("mbf.new", "MIT", "bgr")
    assert (embedder.spec.mean, embedder.spec.std) == ((127,) * 3, (128,) * 3)
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
        code, _, err = kerasface("zoo", "import", *arguments, "--name", "mbf.new", "--out", out)
        assert code == 2, arguments
        assert "error: " in err
        assert words in err, (arguments, err)
        assert not out.exists()


@pytest.fixture
def base(tmp_path, monkeypatch):
    """A folder with one embedder, as a host has it."""
    folder = tmp_path / "host" / NAME
    folder.mkdir(parents=True)
    (folder / "fp16.tflite").write_bytes(CONTENT)
    (folder.parent / "manifest.json").write_text(json.dumps(manifest()))
    monkeypatch.setenv("KERASFACE_ZOO", folder.parent.as_uri())
    monkeypatch.setenv("KERASFACE_CACHE", str(tmp_path / "cache"))
    return folder


def test_what_there_is_and_what_is_known_of_it(kerasface, base):
    code, out, _ = kerasface("zoo", "ls", "mobile*")
    assert code == 0
    assert NAME in out
    assert "tflite-fp16 0.52" in out
    code, out, _ = kerasface("zoo", "show", NAME)
    assert code == 0
    for words in (SHA256[:16], "Apache-2.0", "112×112", SPEC.embedder_id):
        assert words in out, words
    code, _, err = kerasface("zoo", "ls", "nobody*")
    assert code == 2
    assert "the zoo has no embedder named nobody*. `kerasface zoo ls` lists those there are." in err


def test_a_terminal_of_eighty_columns_shows_names_and_figures_whole(kerasface, base, monkeypatch):
    figures = [
        {"benchmark": "LFW", "format": "tflite-fp16", "metric": metric, "value": value, "protocol": protocol,
         "low": 0.9453, "high": 0.9615, "std": 0.0122}
        for metric, value, protocol in (
            ("accuracy", 0.9557, "the face alone"), ("accuracy", 0.9557, "mirrored"), ("auc", 0.99, "the face alone")
        )
    ]  # fmt: skip
    name = "mobilefacenet.thirty_characters"
    tree = manifest(spec=json.loads(SPEC.replace(name=name).to_json()))
    tree["models"] = {name: {**tree["models"][NAME], "figures": figures, "card": "card.md"}}
    (base.parent / "manifest.json").write_text(json.dumps(tree))
    monkeypatch.setattr("kerasface.cli.zoo.console", Console(width=80))
    _, out, _ = kerasface("zoo", "ls", name)
    assert name in out
    assert "…" not in out
    assert "embedding" in out  # no heading is cut into syllables
    assert re.search(r"LFW accuracy +│\n.*│95\.57% +│\n.*│of tflite-fp16 *│", out)
    assert "licence of the weights, mobilefacenet.thirty_characters: Apache-2.0" in out
    _, out, _ = kerasface("zoo", "show", name)
    # The first figure's metric alone, a row for each protocol; the rest stands in the card.
    assert out.count("95.57% ± 1.22% [94.53%, 96.15%]") == 2
    assert "auc" not in out
    assert f"all 3 figures: {base.parent}/card.md" in out


def test_the_best_comes_first_and_a_licence_is_told_once(kerasface, base, monkeypatch):
    tree = manifest()
    del tree["models"][NAME]
    for name, value in (("a.unmeasured", None), ("b.middle", 0.9), ("c.worst", 0.8), ("d.best", 0.97)):
        figure = {"benchmark": "LFW", "format": "keras", "metric": "accuracy", "value": value, "protocol": "mirrored"}
        model = manifest(spec=json.loads(SPEC.replace(name=name).to_json()))["models"][NAME]
        tree["models"][name] = {**model, "figures": [figure] if value else []}
    tree["models"]["d.best"]["licence_weights"] = "research only"
    (base.parent / "manifest.json").write_text(json.dumps(tree))
    monkeypatch.setattr("kerasface.cli.zoo.console", Console(width=100))
    code, out, err = kerasface("zoo", "ls")
    assert code == 0, err
    assert re.findall(r"│([a-d]\.\w+)", out) == ["d.best", "b.middle", "c.worst", "a.unmeasured"]
    assert "licence of the weights, a.unmeasured, b.middle, c.worst: Apache-2.0\n" in out
    assert "licence of the weights, d.best: research only\n" in out


def test_show_says_what_each_threshold_refuses(kerasface, base):
    thresholds = (Threshold(0.46, 0.01, "people", "fp16", 1000), Threshold(0.54, 0.001, "people", "fp16", 1000))
    tree = manifest(spec=json.loads(SPEC.replace(thresholds=thresholds).to_json()))
    figures = [
        {"benchmark": benchmark, "format": format, "metric": f"TAR at the threshold for FAR {far}", "value": value,
         "protocol": "the face alone"}
        for benchmark, format, far, value in (
            ("LFW", "tflite-fp16", 0.01, 0.8633), ("CFP", "tflite-fp16", 0.01, 0.5), ("LFW", "keras", 0.001, 0.7)
        )
    ]  # fmt: skip
    tree["models"][NAME]["figures"] = figures
    (base.parent / "manifest.json").write_text(json.dumps(tree))
    _, out, _ = kerasface("zoo", "show", NAME)
    assert "│ 0.4600 at 0.01, TAR 86.33% │" in out
    assert "│ 0.5400 at 0.001            │" in out
    assert "LFW's pairs of one person" in out


def test_get_copies_the_file_with_its_sidecar(kerasface, base, tmp_path):
    code, out, err = kerasface("zoo", "get", NAME, "--out", tmp_path / "mine.tflite")
    assert code == 0
    assert out.strip() == str(tmp_path / "mine.tflite")
    assert "licence of the weights: Apache-2.0" in err
    assert (tmp_path / "mine.tflite").read_bytes() == CONTENT
    assert read_spec({}, CONTENT, tmp_path / "mine.tflite") == SPEC
    assert "dropped" not in err
    # A file that was calibrated since is overwritten, but not without a word.
    write_sidecar(tmp_path / "mine.tflite", SPEC.replace(thresholds=(Threshold(0.31, 0.01, "us", "fp16", 1000),)))
    _, _, err = kerasface("zoo", "get", NAME, "--out", tmp_path / "mine.tflite")
    assert "dropped: cosine 0.3100 at FAR 0.01 from us (fp16)\n" in err
    code, _, err = kerasface("zoo", "get", "no.such")
    assert code == 2
    # The package's own models are named beside it.
    assert NAME in err.split("There is: ")[1]


def test_verify_goes_on_past_an_exchanged_file(kerasface, base):
    tree = manifest()
    files = tree["models"][NAME]["files"]
    files["tflite-int8"] = {**files["tflite-fp16"], "path": f"{NAME}/int8.tflite"}
    (base.parent / "manifest.json").write_text(json.dumps(tree))
    (base / "int8.tflite").write_bytes(CONTENT)
    code, out, _ = kerasface("zoo", "verify", NAME)
    assert code == 0
    assert out.splitlines() == [f"{NAME} tflite-{one}: as the manifest says" for one in ("fp16", "int8")]
    next((base.parents[1] / "cache").rglob("fp16.tflite")).write_bytes(b"other")
    (base / "fp16.tflite").write_bytes(b"other")
    code, out, err = kerasface("zoo", "verify", NAME)
    assert code == 2
    assert out.strip() == f"{NAME} tflite-int8: as the manifest says"
    assert f"{NAME} tflite-fp16: {base}/fp16.tflite is not the file that the manifest names" in err
    assert f"1 of 2 files can't be verified: {NAME} tflite-fp16." in err
    code, _, err = kerasface("zoo", "verify", "no.such")
    assert code == 2
    assert "the zoo has no embedder named no.such." in err


def test_commands_take_a_name_for_a_file(kerasface, base, model_files, spec, tmp_path):
    content = model_files["tflite"].read_bytes()
    (base / "fp16.tflite").write_bytes(content)
    named = spec.replace(name=NAME)
    file = {"size": len(content), "sha256": hashlib.sha256(content).hexdigest(), "spec": json.loads(named.to_json())}
    (base.parent / "manifest.json").write_text(json.dumps(manifest(**file)))
    crop = tmp_path / "crop.png"
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (112, 112, 3), dtype=np.uint8)).save(crop)
    code, out, err = kerasface("verify", NAME, crop, crop, "--no-align")
    assert code == 0, err
    assert "same person" in out
    code, out, err = kerasface("benchmark", NAME, model_files["tflite"], "--threads", "1", "--runs", "2")
    assert code == 0, err
    assert "2 files in turn" in out
    code, _, err = kerasface("verify", "no.such", crop, crop, "--no-align")
    assert code == 2
    assert NAME in err.split("no embedder 'no.such' in the zoo. There is: ")[1]
