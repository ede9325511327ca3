"""What the page is built from: the right models, a policy that lets nothing out, packages of the npm registry alone."""

import json
import re

import pytest

from kerasface.edge import assets
from kerasface.errors import KerasfaceError
from tests.doc_scripts import ROOT, load_script

WEB = ROOT / "export" / "web"


@pytest.fixture
def prepare():
    return load_script("export/web/prepare.py").prepare


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    """Two files that pass as the detector's models."""
    folder = tmp_path / "models"
    folder.mkdir()
    for asset in assets.ASSETS.values():
        (folder / asset.file).write_bytes(b"model")
    monkeypatch.setattr(assets, "path", lambda name: folder / assets.ASSETS[name].file)


def test_models_are_put_beside_the_page(prepare, own_cache, tmp_path):
    target = tmp_path / "page" / "models"
    prepare(None, target)
    assert sorted(path.name for path in target.iterdir()) == [
        "NOTICE",
        "face_detection_short_range.tflite",
        "face_landmark.tflite",
        "index.json",
    ]
    assert json.loads((target / "index.json").read_text()) == {"embedder": None}
    assert "Apache License 2.0, The MediaPipe Authors" in (target / "NOTICE").read_text()


def test_an_embedder_that_lies_there_already_stays(prepare, own_cache, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasface.edge.Embedder.load", lambda path: None)
    target = tmp_path / "page" / "models"
    target.mkdir(parents=True)
    (target / "face.tflite").write_bytes(b"the only copy")
    (target / "face.tflite.json").write_bytes(b"its sidecar")
    prepare(target / "face.tflite", target)
    assert (target / "face.tflite").read_bytes() == b"the only copy"
    assert (target / "face.tflite.json").read_bytes() == b"its sidecar"
    assert json.loads((target / "index.json").read_text()) == {"embedder": "face.tflite"}


def test_what_is_no_embedder_is_refused_and_nothing_changes(prepare, own_cache, tmp_path):
    target = tmp_path / "page" / "models"
    prepare(None, target)
    with pytest.raises(KerasfaceError, match="no model file"):
        prepare(tmp_path / "face.tflite", target)
    assert (target / "index.json").is_file()


def test_the_page_knows_the_same_models_as_python():
    text = (WEB / "src" / "assets.ts").read_text(encoding="utf-8")
    known = dict(re.findall(r'"([\w.]+\.tflite)": "([0-9a-f]{64})"', text))
    assert known == {asset.file: asset.sha256 for asset in assets.ASSETS.values()}


def test_the_policy_lets_nothing_out():
    page = (WEB / "index.html").read_text(encoding="utf-8")
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy"\s+content="([^"]+)"', page)
    sources = {words.split()[0]: words.split()[1:] for words in policy.split("; ")}
    assert sources["default-src"] == ["'self'"]
    allowed = {source for listed in sources.values() for source in listed}
    assert allowed <= {"'self'", "'none'", "'wasm-unsafe-eval'"}


def test_packages_are_pinned_and_name_no_registry():
    lock = json.loads((WEB / "package-lock.json").read_text(encoding="utf-8"))
    for name, package in lock["packages"].items():
        assert package.get("resolved", "https://registry.npmjs.org/").startswith("https://registry.npmjs.org/"), name
        assert name == "" or package["integrity"].startswith("sha512-"), name
    manifest = json.loads((WEB / "package.json").read_text(encoding="utf-8"))
    wanted = {**manifest["dependencies"], **manifest["devDependencies"]}
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in wanted.values())
