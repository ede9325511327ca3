"""The Kotlin of export/android that needs no Android, compiled and run on a JVM."""

import json
import re
import subprocess

import numpy as np
import pytest

from kerasface.edge import Gallery
from tests.doc_scripts import ROOT

pytestmark = pytest.mark.kotlin

ANDROID = ROOT / "export" / "android"
COMPILER = ANDROID / "node_modules" / "kotlin-compiler"
VECTORS = ROOT / "export" / "vectors"


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """What core/'s own check says, and the gallery that it wrote."""
    folder = tmp_path_factory.mktemp("kotlin")
    sources = [str(ANDROID / "core" / "src" / kind / "kotlin") for kind in ("main", "test")]
    jar, gallery = folder / "core.jar", folder / "gallery.json"
    compiled = subprocess.run(
        ["bash", str(COMPILER / "bin" / "kotlinc"), *sources, "-Werror", "-d", str(jar)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert compiled.returncode == 0, compiled.stderr
    classes = f"{jar}:{COMPILER / 'lib' / 'kotlin-stdlib.jar'}"
    command = ["java", "-cp", classes, "kerasface.core.VectorsKt", str(VECTORS), str(gallery)]
    return subprocess.run(command, capture_output=True, text=True, check=False), gallery


def test_kotlin_answers_what_the_vectors_say(run):
    done, _ = run
    assert done.returncode == 0, done.stdout + done.stderr
    passed = re.fullmatch(r"(\d+) passed, 0 failed", done.stdout.strip())
    cases = sum(
        len(json.loads((VECTORS / f"{name}.json").read_text())["cases"]) for name in ("similarity", "warp", "crop")
    )
    assert int(passed.group(1)) > cases


def test_python_reads_the_phones_gallery(run):
    decisions = json.loads((VECTORS / "decisions.json").read_text(encoding="utf-8"))
    gallery = Gallery.import_json(run[1])
    matches = gallery.identify(np.array([probe["embedding"] for probe in decisions["probes"]]))
    assert [match.name for match in matches] == [probe["name"] for probe in decisions["probes"]]
    np.testing.assert_allclose([m.score for m in matches], [p["score"] for p in decisions["probes"]], atol=1e-6)
