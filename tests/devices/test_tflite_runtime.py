"""An old board: tflite-runtime and the NumPy that it was built for, in an environment of its own from PyPI."""

import os
import subprocess
import sys
import venv

import pytest

from tests.doc_scripts import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="tflite-runtime's last wheels are for Python 3.11"),
]
PACKAGES = ["tflite-runtime==2.14.0", "numpy<2", "pillow", "typer", "rich", "pooch", "filelock", "packaging"]


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    folder = tmp_path_factory.mktemp("board")
    venv.create(folder, with_pip=True)
    subprocess.run([folder / "bin" / "python", "-m", "pip", "install", "--quiet", *PACKAGES], check=True)
    return folder / "bin" / "python"


def test_two_photos_are_verified_with_tflite_runtime(python, hopper_path, fetched_assets):
    program = "from kerasface.cli import main; main()"
    command = [python, "-c", program, "verify", "mobilefacenet.sface_photos", hopper_path, hopper_path]
    done = subprocess.run(
        command, env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "same person  cosine 1.0000" in done.stdout
    freeze = [python, "-m", "pip", "freeze"]
    packages = subprocess.run(freeze, capture_output=True, text=True, check=True).stdout
    assert "ai-edge-litert" not in packages
    assert "numpy==1.26" in packages
