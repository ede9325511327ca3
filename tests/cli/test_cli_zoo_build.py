"""kerasface zoo build, and what every command makes of its result; from a wheel as well, without a network."""

import json
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest
import yaml

from kerasface.zoo import bases
from tests.training.small_runs import tree_of

ROOT = Path(__file__).resolve().parents[2]
NAME = "spherefacenet.softmax_patterns"


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    path = tmp_path_factory.mktemp("recipes") / "patterns.yaml"
    backbone = {**tree_of()["backbone"], "width": 0.25}
    data = {**tree_of()["data"], "description": "synthetic identities"}
    path.write_text(yaml.safe_dump(tree_of(name=NAME, epochs=1, backbone=backbone, data=data)))
    return path


def crop(lfw):
    return next((lfw / "aligned_112").rglob("*.jpg"))


def test_build_then_every_command_on_the_name(kerasface, recipe, faces, lfw, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasface.zoo.workshop.timing._RUNS", 3)
    monkeypatch.setenv("KERASFACE_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("KERASFACE_ZOO", raising=False)
    (tmp_path / "kerasface" / "zoo").mkdir(parents=True)
    options = ["--data", faces, "--lfw", lfw, "--run", tmp_path / "run", "--out", tmp_path / "upload"]
    code, out, err = kerasface("zoo", "build", recipe, *options, "--ship", tmp_path)
    assert code == 0, err
    assert f"card: {tmp_path / 'upload' / NAME / NAME}.md" in out
    monkeypatch.setattr(bases, "SHIPPED", tmp_path / "kerasface" / "zoo" / "shipped")
    code, out, _ = kerasface("zoo", "ls")
    assert code == 0
    assert f"│{NAME}│" in out
    code, out, _ = kerasface("zoo", "show", NAME)
    figures = ("accuracy, with its 95 % interval", "LFW: ", " figures: ")
    for words in ("tflite-int8", *figures, "7 people held out of training", f"{NAME}.md"):
        assert words in out, words
    code, out, _ = kerasface("zoo", "verify")
    assert out.count("as the manifest says") == 3
    code, _, err = kerasface("zoo", "get", NAME, "--format", "tflite-int8", "--out", tmp_path / "face.tflite")
    assert code == 0, err
    code, _, err = kerasface("verify", NAME, crop(lfw), crop(lfw), "--no-align")
    assert (code, "takes no faces of a known template" in err) == (2, True)  # it was found, and is of 32 pixels
    code, _, err = kerasface("evaluate", NAME, "--lfw", lfw, "--json", tmp_path / "lfw.json")
    assert code == 0, err
    measured = json.loads((tmp_path / "lfw.json").read_text())["verification"]["result"]["auc"]
    record = json.loads((tmp_path / "zoo" / "cards" / f"{NAME}.json").read_text())
    assert measured == pytest.approx(record["model"]["models"][NAME]["figures"][1]["value"])
    code, _, err = kerasface("export", NAME, "--to", "onnx", "--out", tmp_path / "face.onnx")
    assert code == 0, err
    from kerasface.cli.models import model_file

    assert model_file(NAME, "keras").name == f"{NAME}.keras"  # what finetune begins with


def test_a_stopped_build_says_so(kerasface, recipe, faces, lfw, tmp_path, monkeypatch):
    answer = b"stopping after this step"
    kept = os.dup(2)
    reading, writing = os.pipe()

    def stopped(*_, **__):
        os.write(2, answer)  # as training does when Ctrl-C comes

    monkeypatch.setattr("kerasface.zoo.workshop.run.trained_run", stopped)
    os.dup2(writing, 2)
    try:
        code, out, _ = kerasface("zoo", "build", recipe, "--data", faces, "--lfw", lfw, "--out", tmp_path / "upload")
    finally:
        os.dup2(kept, 2)
        os.close(writing)
    with open(reading, "rb") as heard:
        assert answer in heard.read()
    os.close(kept)
    assert (code, out.splitlines()[-1]) == (130, "stopped; the same command goes on")
    assert not (tmp_path / "upload").exists()


@pytest.mark.slow
def test_a_wheel_gives_out_what_was_shipped_without_a_network(recipe, faces, lfw, tmp_path):
    source, wheels, installed = tmp_path / "source", tmp_path / "wheels", tmp_path / "installed"
    shutil.copytree(ROOT / "kerasface", source / "kerasface", ignore=shutil.ignore_patterns("__pycache__", "shipped"))
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE", "NOTICE"):
        shutil.copy(ROOT / name, source)
    run("zoo", "build", recipe, "--data", faces, "--lfw", lfw, "--run", tmp_path / "run", "--out", tmp_path / "upload",
        "--ship", source, package=source)  # fmt: skip
    pip = [sys.executable, "-m", "pip", "wheel", "--no-deps", "--no-build-isolation", "--quiet", "-w", wheels, source]
    subprocess.run([str(part) for part in pip], check=True, capture_output=True)
    with zipfile.ZipFile(next(wheels.glob("*.whl"))) as wheel:
        wheel.extractall(installed)
    offline = {"HTTPS_PROXY": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    offline["KERASFACE_CACHE"] = str(tmp_path / "cache")
    assert NAME in run("zoo", "ls", package=installed, environment=offline)
    assert run("zoo", "verify", package=installed, environment=offline).count("as the manifest says") == 3
    said = run("evaluate", NAME, "--lfw", lfw, package=installed, environment=offline)
    assert "accuracy, 2 folds" in said
    code = f"import kerasface as kf; m = kf.zoo.load({NAME!r}); print(kf.__file__, m.head, m.backbone.output_shape)"
    said = python(code, package=installed, environment=offline)
    assert said.split() == [str(installed / "kerasface" / "__init__.py"), "None", "(None,", "16)"]


def run(*arguments, package, environment=()):
    code = f"import sys; sys.argv = {['kerasface', *map(str, arguments)]!r}; from kerasface.cli import main; main()"
    return python(code, package=package, environment=environment)


def python(code, *, package, environment):
    known = {name: value for name, value in os.environ.items() if name != "KERASFACE_ZOO"}
    process = subprocess.run(
        [sys.executable, "-P", "-c", code],
        env={**known, "PYTHONPATH": str(package), "COLUMNS": "200", **dict(environment)},
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    return process.stdout
