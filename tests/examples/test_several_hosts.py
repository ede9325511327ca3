"""Example 08 as two hosts would run it: two processes over loopback."""

import sys

import pytest

from kerasface.data import render_identities, write_class_folder
from kerasface.training.launch import launch
from tests.doc_scripts import ROOT
from tests.examples.conftest import EXAMPLES

pytestmark = pytest.mark.multiworker


def test_08_trains_in_two_processes(tmp_path, monkeypatch):
    write_class_folder(*render_identities(16, 8, seed=0), tmp_path / "faces")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    (script,) = EXAMPLES.glob("08_*.py")
    said = []
    assert launch([sys.executable, str(script), "faces"], 2, say=said.append) == 0
    written = [line for line in said if "several/best.keras" in line]
    assert len(written) == 1  # the first of them alone writes
    assert written[0].startswith("[worker 0] ")
