"""The folder that a build goes into: a model that can't be replaced stays."""

import json
import os
import types
from pathlib import Path

import pytest

from kerasface.errors import KerasfaceError
from kerasface.zoo.manifest import Manifest
from kerasface.zoo.workshop import shelf
from tests.zoo.zoo_server import NAME, manifest


def contents(folder):
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_model_that_cannot_be_replaced_stays(tmp_path, monkeypatch):
    text = json.dumps(manifest()).replace("nothing", "synthetic identities")
    record = types.SimpleNamespace(model=Manifest.from_json(text, "here").models[NAME])
    files = {"fp16.tflite": tmp_path / "fp16.tflite"}
    files["fp16.tflite"].write_bytes(b"old")
    shelf.put(record, files, tmp_path / "zoo")
    before = contents(tmp_path / "zoo")
    assert before[Path(NAME, "fp16.tflite")] == b"old"

    files["fp16.tflite"].write_bytes(b"new")
    rename = os.rename

    def full_disk(source, target):
        if Path(source).name == "fresh":
            raise OSError(28, "No space left on device")
        rename(source, target)

    monkeypatch.setattr(os, "rename", full_disk)
    with pytest.raises(KerasfaceError, match="No space left on device"):
        shelf.put(record, files, tmp_path / "zoo")
    assert contents(tmp_path / "zoo") == before
    monkeypatch.undo()
    shelf.put(record, files, tmp_path / "zoo")
    assert (tmp_path / "zoo" / NAME / "fp16.tflite").read_bytes() == b"new"
