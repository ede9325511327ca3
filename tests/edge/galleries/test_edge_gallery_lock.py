"""One writer, many readers, and writers that are killed: in processes of their own."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from kerasface.edge import Gallery, changing
from kerasface.edge.galleries import lock
from kerasface.errors import KerasfaceError

# Each state k of the gallery is one person "k" whose template is the k-th axis, and 200 more that make the file long.
WRITER = """
import sys
import numpy as np
from kerasface.edge import Gallery
path, first = sys.argv[1], int(sys.argv[2])
spec = Gallery.load(path).spec
filler = np.random.default_rng(0).normal(size=(2000, 16))
filler /= np.linalg.norm(filler, axis=1, keepdims=True)
gallery = Gallery(spec)
for i, row in enumerate(filler):
    gallery.enroll(f"filler {i}", row)
print("ready", flush=True)
for state in range(first, first + 100_000):
    gallery.enroll(f"state {state}", np.eye(16)[state % 16])
    gallery.save(path)
    print(state, flush=True)
    gallery.remove(f"state {state}")
"""
ADDER = """
import sys
import numpy as np
from kerasface.edge import changing
path, name, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
for i in range(count):
    with changing(path) as gallery:
        gallery.enroll(f"{name} {i}", np.eye(16)[i % 16])
"""


def start(code, *arguments):
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def state_of(gallery):
    (name,) = [name for name in gallery.names if name.startswith("state")]
    state = int(name.split()[1])
    assert gallery.identify(np.eye(16)[state % 16], ranks=1).score == pytest.approx(1, abs=1e-6)
    return state


@pytest.fixture
def path(tmp_path, spec):
    path = tmp_path / "team.kfg"
    gallery = Gallery(spec)
    gallery.enroll("state 0", np.eye(16)[0])
    gallery.save(path)
    return path


def test_killed_writers_never_lose_a_state(path):
    """SIGKILL at twelve moments of a process that does nothing but save; readers look all the while."""
    last, drafts_seen = 0, 0
    for round_ in range(12):
        writer = start(WRITER, path, last + 1)
        assert writer.stdout.readline() == "ready\n"
        deadline = time.monotonic() + 0.05 + 0.013 * round_
        while time.monotonic() < deadline:
            seen = state_of(Gallery.load(path))  # a reader beside the writer: whole, and never an older state
            assert seen >= last
            last = seen
        os.kill(writer.pid, signal.SIGKILL)
        written = writer.communicate()[0].split()
        last = max(last, *map(int, written)) if written else last
        # What was said to be saved is there, or the one that was being saved when the signal came.
        assert state_of(Gallery.load(path)) in (last, last + 1)
        last = state_of(Gallery.load(path))
        drafts_seen += len(list(path.parent.glob(".*.draft")))
    assert last > 12
    with changing(path) as gallery:
        gallery.remove(f"state {last}")
    assert len(Gallery.load(path)) == 2000


def test_writers_wait_for_each_other(path):
    writers = [start(ADDER, path, name, 15) for name in ("a", "b")]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert Gallery.load(path).names == sorted(["state 0"] + [f"{name} {i}" for name in "ab" for i in range(15)])


def test_a_writer_that_holds_on_is_an_error_for_the_next(path, monkeypatch):
    monkeypatch.setattr(lock, "_PATIENCE_SECONDS", 0.1)
    message = "another process has been changing the gallery"
    with changing(path), pytest.raises(KerasfaceError, match=message), changing(path):
        pass


def test_an_error_in_the_block_changes_nothing(path):
    def change_and_fail():
        with changing(path) as gallery:
            gallery.remove("state 0")
            gallery.remove("nobody")

    before = path.read_bytes()
    with pytest.raises(KerasfaceError, match="nobody named 'nobody'"):
        change_and_fail()
    assert path.read_bytes() == before


def test_a_new_gallery_begins_where_there_is_no_file(tmp_path, spec):
    path = tmp_path / "below" / "new.kfg"
    with pytest.raises(KerasfaceError, match="no gallery file"), changing(path):
        pass
    for name in ("Ada", "Bob"):
        with changing(path, spec, new=Gallery(spec)) as gallery:
            gallery.enroll(name, np.eye(16)[0])
    assert Gallery.load(path).names == ["Ada", "Bob"]


def test_drafts_of_killed_writers_are_removed_and_no_other_file(path):
    old, young = (path.parent / f".team.kfg.{name}.draft" for name in ("old", "young"))
    others = [path.parent / ".team.kfg.notes", path.parent / ".other.kfg.x.draft", path.parent / "team.kfg.draft"]
    for draft in (old, young, *others):
        draft.write_bytes(b"half a gallery")
        os.utime(draft, (time.time() - 3600,) * 2)
    os.utime(young)
    with changing(path):
        pass
    assert not old.exists()
    assert all(file.exists() for file in (young, *others))


def test_where_no_lock_can_be_held_is_an_error(tmp_path, spec):
    (tmp_path / "file").touch()
    with pytest.raises(KerasfaceError, match="Choose another folder"), changing(tmp_path / "file" / "g", spec):
        pass
