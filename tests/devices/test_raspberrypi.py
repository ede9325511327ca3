"""The Raspberry Pi's service: its wheels exist, it installs, and it names people on photos that arrive."""

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib

import pytest

from kerasface.edge import Embedder, FacePipeline, Gallery, assets, load_image
from kerasface.edge.images import EncodedImage
from kerasface.errors import KerasfaceError
from kerasface.spec import SPEC_KEY, EmbedderSpec, Threshold
from tests.device_files import DIMENSION, BlockModel, with_tflite_metadata, write_sidecar
from tests.devices import portraits
from tests.doc_scripts import ROOT, load_script

PI = ROOT / "export" / "raspberrypi"
PATIENCE = 120

service = load_script("export/raspberrypi/identify_inbox.py")
pins = load_script("export/raspberrypi/pins.py")


@pytest.fixture(scope="module")
def embedder(tmp_path_factory):
    """A small embedder under which the portraits differ: means of blocks of a crop."""
    spec = EmbedderSpec("blocks.test", "a1b2", DIMENSION, thresholds=(Threshold(0.98, 1e-2, "test", "fp32", 1000),))
    path = tmp_path_factory.mktemp("embedder") / "embedder.tflite"
    content = with_tflite_metadata(BlockModel().tflite(), {SPEC_KEY: spec.to_json().encode()})
    path.write_bytes(content)
    write_sidecar(path, content, spec)
    return path


@pytest.fixture(scope="module")
def models():
    if assets.missing():
        assets.fetch()


@pytest.fixture(scope="module")
def gallery(embedder, models, tmp_path_factory):
    """Grace alone."""
    path = tmp_path_factory.mktemp("gallery") / "gallery.kfg"
    photo = path.with_name("grace.png")
    portraits.portraits()["Grace"].save(photo)
    pipeline = FacePipeline(Embedder.load(embedder))
    known = Gallery(pipeline.embedder.spec)
    known.enroll("Grace", pipeline.face(load_image(photo), photo).embedding)
    known.save(path)
    return path


def names(answer):
    return [face["name"] for face in answer["faces"]]


def deliver(picture, folder, name):
    """As a careful sender does: under another name until it is whole."""
    part = folder / f".{name}.part"
    picture.save(part, "PNG")
    part.rename(folder / name)


class Running:
    """The service in a process of its own."""

    def __init__(self, python, *arguments, env=None):
        command = [python, *map(str, arguments)]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env)

    def answer(self):
        line = self.process.stdout.readline()
        assert line, self.process.stderr.read()
        return json.loads(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait(PATIENCE)


def test_photos_are_given_once_they_are_whole(tmp_path):
    inbox = service.Inbox(tmp_path)
    photo = tmp_path / "a.JPG"
    photo.write_bytes(b"half")
    (tmp_path / "notes.txt").write_text("no photo")
    (tmp_path / "folder.jpg").mkdir()
    assert inbox.ready() == []
    photo.write_bytes(b"half and the rest")
    assert inbox.ready() == []
    assert inbox.ready() == [photo]
    assert inbox.ready() == []
    photo.write_bytes(b"another")
    assert inbox.ready() == []
    assert inbox.ready() == [photo]
    photo.unlink()
    assert inbox.ready() == []


def test_photos_are_named_and_deleted_until_it_is_told_to_stop(embedder, gallery, tmp_path):
    people = portraits.portraits()
    inbox = tmp_path / "inbox"
    inbox.mkdir()
    (inbox / "text.jpg").write_text("no photo")
    (inbox / "phone.HEIC").write_text("a kind that isn't read")
    arguments = [PI / "identify_inbox.py", embedder, gallery, inbox]
    with Running(sys.executable, *arguments, env={**os.environ, "PYTHONPATH": str(ROOT)}) as running:
        problems = [running.answer()["problem"] for _ in range(2)]
        assert "text.jpg is not an image" in problems[0]
        assert "phone.HEIC is not an image" in problems[1]
        deliver(people["Grace"], inbox, "grace.png")
        grace = running.answer()
        assert names(grace) == ["Grace"]
        assert grace["photo"] == "grace.png"
        assert grace["faces"][0]["cosine"] >= grace["faces"][0]["threshold"] == 0.98
        deliver(people["Eileen"], inbox, "eileen.png")
        assert names(running.answer()) == [None]
        deadline = time.monotonic() + PATIENCE
        while any(inbox.iterdir()) and time.monotonic() < deadline:
            time.sleep(0.05)
        assert list(inbox.iterdir()) == []
        running.process.send_signal(signal.SIGTERM)
        assert running.process.wait(PATIENCE) == 0


def test_a_gallery_that_changes_is_read_anew(embedder, gallery, models, tmp_path):
    path = tmp_path / "gallery.kfg"
    shutil.copyfile(gallery, path)
    pipeline = FacePipeline(Embedder.load(embedder))
    path_of_photo = tmp_path / "eileen.png"
    portraits.portraits()["Eileen"].save(path_of_photo)
    photo = service.taken(path_of_photo)
    assert not path_of_photo.exists()
    assert service.taken(path_of_photo) is None
    kept = service.KeptGallery(path, pipeline.embedder.spec)
    assert names(service.identify(pipeline, kept.current(), photo)) == [None]
    assert kept.current() is kept.current()
    known = Gallery.load(path)
    known.enroll("Eileen", pipeline.face(load_image(photo), photo).embedding)
    known.save(path)
    assert names(service.identify(pipeline, kept.current(), photo)) == ["Eileen"]


def test_a_photo_that_takes_too_much_leaves_the_next_its_turn():
    class Full:
        def faces(self, image):
            raise MemoryError

    png = io.BytesIO()
    portraits.portraits()["Grace"].save(png, "PNG")
    answer = service.identify(Full(), None, EncodedImage(png.getvalue(), "large.png"))
    assert answer == {"photo": "large.png", "problem": "MemoryError"}


def test_a_photo_that_may_not_be_read_leaves_the_next_its_turn(tmp_path, monkeypatch):
    def forbidden(path):
        raise PermissionError(13, "Permission denied", str(path))

    photo = tmp_path / "theirs.jpg"
    photo.touch()
    monkeypatch.setattr("pathlib.Path.read_bytes", forbidden)
    told = {"photo": "theirs.jpg", "problem": "it can't be taken: Permission denied"}
    assert service.answer(None, None, photo) == told
    photo.unlink()
    monkeypatch.undo()
    assert service.answer(None, None, photo) is None


def test_without_a_threshold_it_ends_before_the_first_photo(embedder, gallery, models, tmp_path):
    bare = tmp_path / "bare.tflite"
    spec = EmbedderSpec("blocks.test", "a1b2", DIMENSION)
    bare.write_bytes(with_tflite_metadata(BlockModel().tflite(), {SPEC_KEY: spec.to_json().encode()}))
    (tmp_path / "inbox").mkdir()
    arguments = [PI / "identify_inbox.py", bare, gallery, tmp_path / "inbox"]
    with Running(sys.executable, *arguments, env={**os.environ, "PYTHONPATH": str(ROOT)}) as running:
        assert running.process.wait(PATIENCE) == 1
        assert "threshold" in running.process.stderr.read()


def test_without_an_inbox_it_says_so(tmp_path):
    inbox = service.Inbox(tmp_path / "inbox")
    with pytest.raises(KerasfaceError, match=r"can't look into the inbox .*inbox: No such file or directory\. Make it"):
        inbox.ready()
    inbox.folder.mkdir()
    assert inbox.ready() == []


def test_without_a_gallery_it_says_so_and_ends(embedder, models, tmp_path):
    arguments = [PI / "identify_inbox.py", embedder, tmp_path / "none.kfg", tmp_path]
    with Running(sys.executable, *arguments, env={**os.environ, "PYTHONPATH": str(ROOT)}) as running:
        assert running.process.wait(PATIENCE) == 1
        assert "no gallery file" in running.process.stderr.read()


def test_every_dependency_is_pinned_at_the_version_that_is_tested():
    pinned = dict(line.split("==") for line in pins.REQUIREMENTS.read_text().splitlines() if not line.startswith("#"))
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    assert {name.split(">")[0] for name in wanted} <= pinned.keys(), "run export/raspberrypi/pins.py"
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").lower().replace("_", "-").splitlines()
    tested = dict(line.split("==") for line in lines if "==" in line)
    assert all(tested[name] == version for name, version in pinned.items()), "run export/raspberrypi/pins.py"


@pytest.mark.slow
@pytest.mark.parametrize("python_version", ["3.11", "3.13"])
def test_all_of_it_has_wheels_for_aarch64(python_version):
    resolved = pins.resolve(python_version, "-r", str(pins.REQUIREMENTS))
    assert pins.text(resolved) == pins.REQUIREMENTS.read_text(encoding="utf-8"), "run export/raspberrypi/pins.py"
    for _, wheel in resolved.values():
        assert wheel.endswith(("_aarch64.whl", "-none-any.whl")), wheel


def test_the_installer_is_told_paths_as_they_are_seen_from_where_it_is_called(tmp_path):
    def said(*arguments, cwd=tmp_path):
        return subprocess.run(["bash", *arguments], cwd=cwd, capture_output=True, text=True, check=False)

    (tmp_path / "kerasface.whl").touch()
    done = said(PI / "install.sh", "kerasface.whl", "face.tflite")
    assert (done.returncode, done.stderr) == (1, f"no such file: {tmp_path / 'face.tflite'}\n")
    done = said("raspberrypi/install.sh", cwd=PI.parent)
    assert (done.returncode, done.stderr) == (2, "")
    assert "sudo ./install.sh KERASFACE_WHEEL EMBEDDER.tflite" in done.stdout


@pytest.mark.slow
def test_it_installs_from_wheels_and_runs(embedder, gallery, models, tmp_path):
    """install.sh below a folder, then the service that it installed, with no package of this environment."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(tmp_path), str(ROOT)]
    subprocess.run(build, check=True)
    (wheel,) = tmp_path.glob("kerasface-*.whl")
    root = tmp_path / "root"
    cached = root / "var" / "lib" / "kerasface" / "cache" / "models"
    cached.mkdir(parents=True)
    for name in assets.ASSETS:
        shutil.copy(assets.path(name), cached)

    def install():
        done = subprocess.run(
            [PI / "install.sh", wheel.name, embedder],
            cwd=tmp_path,
            env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "DESTDIR": "root"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    install()
    home, state = root / "opt" / "kerasface", root / "var" / "lib" / "kerasface"
    (module,) = home.glob("lib/python*/site-packages/kerasface/errors.py")
    module.write_text("older = True\n", encoding="utf-8")
    install()  # a newer wheel, though of the same version
    assert module.read_text(encoding="utf-8") == (ROOT / "kerasface" / "errors.py").read_text(encoding="utf-8")
    unit = (root / "etc" / "systemd" / "system" / "kerasface-identify.service").read_text()
    (command,) = [line.split("=", 1)[1].split() for line in unit.splitlines() if line.startswith("ExecStart=")]
    shutil.copy(gallery, state / "gallery.kfg")
    deliver(portraits.portraits()["Grace"], state / "inbox", "grace.png")
    # The unit's own command, each path below the folder.
    python, *arguments = [f"{root}{word}" for word in command]
    with Running(python, *arguments, env={"KERASFACE_CACHE": str(state / "cache")}) as running:
        assert names(running.answer()) == ["Grace"]
    listed = subprocess.run([home / "bin" / "python", "-m", "pip", "list"], capture_output=True, text=True, check=True)
    assert "tensorflow" not in listed.stdout.lower()
    assert "keras " not in listed.stdout.lower()


@pytest.mark.slow
def test_the_unit_is_one_that_systemd_understands_and_calls_safe(tmp_path):
    assert shutil.which("systemd-analyze"), "this test needs systemd-analyze: apt-get install systemd"
    unit = tmp_path / "kerasface-identify.service"
    # Its program is not installed here.
    text = (PI / unit.name).read_text(encoding="utf-8").replace("/opt/kerasface/bin/python", "/bin/true")
    unit.write_text(text, encoding="utf-8")
    verified = subprocess.run(["systemd-analyze", "verify", unit], capture_output=True, text=True, check=False)
    assert (verified.returncode, verified.stderr) == (0, "")
    rated = ["systemd-analyze", "security", "--offline=true", "--threshold=10", unit]
    assert subprocess.run(rated, capture_output=True, check=False).returncode == 0
