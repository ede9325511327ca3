"""The built wheel in an environment of its own: what it carries, and that it finds a face without cache or network."""

import hashlib
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import matplotlib
import pytest

from kerasface.edge import assets

ROOT = Path(__file__).parent.parent
HOPPER = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
# In the wheel's environment: no training library, no cache, and names of hosts lead nowhere.
LOOK = """
import importlib.util, json, socket, sys
def nowhere(*words, **names):
    raise OSError("no network")
socket.getaddrinfo = socket.create_connection = nowhere
from kerasface.edge import FaceDetector, load_image
faces = FaceDetector().detect(load_image(sys.argv[1]))
absent = [name for name in ("tensorflow", "keras", "cv2") if importlib.util.find_spec(name) is None]
print(json.dumps({"faces": len(faces), "absent": absent, "version": __import__("kerasface").__version__}))
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    built = ROOT / "build" / "lib" / "kerasface"
    built.mkdir(parents=True, exist_ok=True)
    (built / "gone.py").write_text("# of an earlier build")
    command = [sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return next(folder.glob("*.whl"))


@pytest.mark.slow
def test_a_wheel_carries_the_detectors_models_and_their_notice(wheel):
    with zipfile.ZipFile(wheel) as archive:
        for asset in assets.ASSETS.values():
            content = archive.read(f"kerasface/edge/models/{asset.file}")
            assert hashlib.sha256(content).hexdigest() == asset.sha256
        notices = [name for name in archive.namelist() if name.endswith("/licenses/NOTICE")]
        assert "MediaPipe" in archive.read(notices[0]).decode()
        assert not [name for name in archive.namelist() if name.startswith(("tests/", "docs/", "benchmarks/"))]
        assert "kerasface/gone.py" not in archive.namelist()


@pytest.mark.slow
def test_an_installed_wheel_finds_a_face_without_cache_or_network(wheel, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "env"], check=True)
    python = tmp_path / "env" / "bin" / "python"
    install = [python, "-m", "pip", "install", "--quiet", wheel, "--constraint", ROOT / "constraints.txt"]
    # A checkout on PYTHONPATH would count as installed.
    subprocess.run(install, check=True, env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"})
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "KERASFACE_CACHE": str(tmp_path / "empty")}
    done = subprocess.run(
        [python, "-c", LOOK, HOPPER], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr[-2000:]
    said = json.loads(done.stdout.splitlines()[-1])
    assert said["faces"] == 1
    assert said["absent"] == ["tensorflow", "keras", "cv2"]
    assert not (tmp_path / "empty").exists()
