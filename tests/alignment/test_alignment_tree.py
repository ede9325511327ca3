"""Whole runs: what each kind of photo becomes, and what is left when a run is killed."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import kerasface
from kerasface.alignment import Aligner, AlignmentSettings, align_tree, read_log
from kerasface.edge import FaceDetector, load_image
from kerasface.edge.align import crop
from kerasface.errors import KerasfaceError
from tests.alignment.conftest import BROKEN, GOOD, NONE, contents

pytestmark = pytest.mark.usefixtures("fetched_assets")
ROOT = Path(kerasface.__file__).parents[1]


def test_every_photo_has_its_line(photos, aligned):
    target, report = aligned
    records = read_log(target)
    assert set(records) == GOOD | BROKEN | NONE | {"Two/both.png"}
    assert {name for name, record in records.items() if record.status == "ok"} == GOOD
    assert {name for name, record in records.items() if record.status == "unreadable"} == BROKEN
    assert {name for name, record in records.items() if record.status == "none"} == NONE
    assert records["Two/both.png"].status == "several"
    assert records["Two/both.png"].found == 2
    assert "truncated" in records["Odd/truncated.jpg"].reason
    assert str(photos) not in json.dumps([record.reason for record in records.values()])
    assert list(records) == sorted(records)
    assert report.counts == {"ok": 11, "several": 1, "none": 3, "low_quality": 0, "unreadable": 4, "failed": 0}
    assert (report.photos, report.crops, report.done_before) == (19, 12, 0)
    assert records["Grace/1.jpg"].photo_bytes == (photos / "Grace" / "1.jpg").stat().st_size


def test_the_crops_are_those_of_the_points_in_the_log(photos, aligned):
    target, _ = aligned
    records = read_log(target)
    for name in GOOD:
        (face,) = records[name].faces
        assert Path(face.file).parent == Path(name).parent
        assert (target / face.file).stat().st_size == face.file_bytes
        expected = crop(load_image(photos / name), np.array(face.points))
        written = np.array(Image.open(target / face.file))
        assert written.shape == (112, 112, 3)
        assert np.abs(written.astype(float) - expected).mean() < 3  # JPEG


def test_every_kind_of_the_portrait_gives_the_same_crop(aligned):
    target, _ = aligned
    records = read_log(target)
    gray = {name: np.asarray(Image.open(target / records[name].faces[0].file).convert("L"), float) for name in GOOD}
    for name, crop_ in gray.items():
        # GIF and palette dither; a turned portrait's points come from another view.
        limit = 12 if name in ("Grace/moving.gif", "Grace/palette.png", "Grace/side.png") else 6
        assert np.abs(crop_ - gray["Grace/2.png"]).mean() < limit, name


def test_names_that_differ_in_their_ending_alone_keep_it(aligned):
    target, _ = aligned
    assert (target / "Grace" / "1.jpg").is_file()
    records = read_log(target)
    assert records["Grace/deep/er/far.bmp"].faces[0].file == "Grace/deep/er/far.jpg"


def test_two_processes_write_the_same_bytes(photos, aligned, tmp_path):
    target, report = aligned
    seen = []
    again = align_tree(photos, tmp_path / "set", jobs=2, progress=lambda done, total: seen.append((done, total)))
    assert again == report
    assert contents(tmp_path / "set") == contents(target)
    assert seen == [(done, 19) for done in range(20)]


def test_a_second_run_does_nothing_and_a_changed_photo_is_done_again(few, hopper, tmp_path):
    target = tmp_path / "set"
    align_tree(few, target)
    before = contents(target)

    class Never(Aligner):
        def align(self, content, job):
            raise AssertionError(job)

    report = align_tree(few, target, aligner=Never(AlignmentSettings()))
    assert (report.done_before, report.counts["ok"], report.counts["none"]) == (2, 1, 1)
    assert contents(target) == before
    Image.fromarray(hopper).save(few / "Odd" / "sea.jpg")
    (target / "Grace" / "1.jpg").write_bytes(b"")
    report = align_tree(few, target)
    assert (report.done_before, report.counts["ok"]) == (0, 2)
    assert (target / "Grace" / "1.jpg").read_bytes() == before["Grace/1.jpg"]
    (few / "Grace" / "1.jpg").write_bytes(b"")
    assert align_tree(few, target).counts["unreadable"] == 1
    assert not (target / "Grace" / "1.jpg").exists()
    assert (target / "Odd" / "sea.jpg").is_file()


def test_any_name_is_logged_and_found_again(few, tmp_path):
    name = os.fsdecode(b'Grace/\xff \xc3\xa9 "1"\n.jpg')
    (few / "Grace" / "1.jpg").rename(few / name)
    assert align_tree(few, tmp_path / "set", jobs=2).counts["ok"] == 1
    assert read_log(tmp_path / "set")[name].faces[0].file == name
    assert align_tree(few, tmp_path / "set").done_before == 2


def test_a_log_that_names_files_elsewhere_is_refused(few, tmp_path):
    """A log may be of somebody else's set, and crops that it names are removed when their photo is done again."""
    target, other = tmp_path / "set", tmp_path / "other.jpg"
    align_tree(few, target)
    other.write_bytes(b"not ours")
    log = (target / "align.jsonl").read_text()
    for elsewhere in ("../other.jpg", "Grace/../../other.jpg", str(other)):
        changed = log.replace('"file": "Grace/1.jpg"', f'"file": "{elsewhere}"')
        assert changed != log
        (target / "align.jsonl").write_text(changed)
        with pytest.raises(KerasfaceError, match="below the target folder"):
            align_tree(few, target)
    assert other.read_bytes() == b"not ours"


_KILLED = """
import os, sys
from kerasface.alignment import Aligner, align_tree
from kerasface.alignment import AlignmentSettings
class Slow(Aligner):
    def align(self, content, job):
        import time
        time.sleep(0.1)
        return super().align(content, job)
if __name__ == "__main__":
    align_tree(sys.argv[1], sys.argv[2], jobs=2, aligner=Slow(AlignmentSettings()))
"""


def test_a_killed_run_goes_on_and_ends_with_the_same_bytes(photos, aligned, tmp_path):
    """kill -9 in the middle, a line cut in half, a draft left behind: then the same call again."""
    target = tmp_path / "set"
    script = tmp_path / "run.py"
    script.write_text(_KILLED)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    run = subprocess.Popen([sys.executable, script, photos, target], env=environment, stderr=subprocess.DEVNULL)
    log = target / "align.jsonl"
    deadline = time.monotonic() + 120
    while not (log.is_file() and len(log.read_bytes().splitlines()) >= 3):
        assert run.poll() is None, "ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.01)
    workers = _children(run.pid)
    run.send_signal(signal.SIGKILL)
    run.wait()
    done = len(read_log(target))
    assert 3 <= done < 19
    with log.open("ab") as file:
        file.write(b'{"photo": "Grace/cmy')
    (target / "Grace" / ".draft_1_cmyk.jpg").write_bytes(b"half")
    assert workers
    _wait_for_end(workers)
    report = align_tree(photos, target)
    assert report.done_before == done
    assert contents(target) == contents(aligned[0])


def test_a_script_without_its_guard_is_told_so(few, tmp_path):
    script = tmp_path / "run.py"
    script.write_text("import sys\nfrom kerasface.alignment import align_tree\nalign_tree(*sys.argv[1:], jobs=2)\n")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, script, few, tmp_path / "set"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode
    assert "processes end as soon as they are started" in done.stderr.splitlines()[-1]
    assert read_log(tmp_path / "set") == {}


def _children(pid):
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
        if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]


def _wait_for_end(pids):
    deadline = time.monotonic() + 30
    while any(_is_running(pid) for pid in pids):
        assert time.monotonic() < deadline, "a killed run's processes go on"
        time.sleep(0.05)


def _is_running(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


class Deadly(Aligner):
    """Dies at one photo, as a bug in a native library would."""

    def align(self, content, job):
        if job.photo == "Odd/line.png":
            os.kill(os.getpid(), signal.SIGKILL)
        return super().align(content, job)


def test_a_photo_that_kills_its_process_ends_no_run(photos, aligned, tmp_path):
    target = tmp_path / "set"
    report = align_tree(photos, target, jobs=2, aligner=Deadly(AlignmentSettings()))
    assert report.counts["failed"] == 1
    records, expected = read_log(target), read_log(aligned[0])
    assert records.pop("Odd/line.png").reason == "the process that aligned it died, twice"
    expected.pop("Odd/line.png")
    assert records == expected
    # The next run tries it again.
    assert align_tree(photos, target).counts == aligned[1].counts


class Clumsy(Aligner):
    def _align(self, image, photo_bytes, job, detector):
        if job.photo.startswith("Grace"):
            raise RuntimeError("surprise")
        return super()._align(image, photo_bytes, job, detector)


def test_whatever_is_raised_becomes_a_line(few, tmp_path):
    report = align_tree(few, tmp_path / "set", aligner=Clumsy(AlignmentSettings()))
    assert (report.counts["failed"], report.counts["none"]) == (1, 1)
    assert read_log(tmp_path / "set")["Grace/1.jpg"].reason == "RuntimeError: surprise"


def test_a_photo_that_may_not_be_read_is_unreadable(few, tmp_path):
    (few / "Grace" / "1.jpg").unlink()
    (few / "Grace" / "1.jpg").symlink_to(tmp_path / "gone.jpg")
    report = align_tree(few, tmp_path / "set")
    assert report.counts["unreadable"] == 1
    assert "No such file" in read_log(tmp_path / "set")["Grace/1.jpg"].reason


def test_all_faces_of_a_photo_and_the_narrow_template(photos, tmp_path):
    two = tmp_path / "two"
    shutil.copytree(photos / "Two", two / "Two")
    settings = AlignmentSettings(template="arcface_112x96", faces="all")
    report = align_tree(two, tmp_path / "set", settings)
    assert (report.crops, report.counts["several"]) == (2, 1)
    (record,) = read_log(tmp_path / "set").values()
    assert [face.file for face in record.faces] == ["Two/both@1.jpg", "Two/both@2.jpg"]
    faces = FaceDetector().detect(load_image(photos / "Two" / "both.png"))
    for face, kept in zip(faces, record.faces, strict=True):
        assert np.array(Image.open(tmp_path / "set" / kept.file)).shape == (112, 96, 3)
        np.testing.assert_allclose(face.points, kept.points, atol=0.01)


def test_limits_keep_a_face_out_and_say_why(few, tmp_path):
    report = align_tree(few, tmp_path / "set", AlignmentSettings(min_size_px=400))
    assert (report.crops, report.counts["low_quality"]) == (0, 1)
    record = read_log(tmp_path / "set")["Grace/1.jpg"]
    assert record.reason.endswith("pixels high, below 400")
    assert record.faces[0].file is None


def test_refusals(few, tmp_path):
    target = tmp_path / "set"
    align_tree(few, target)
    cases = [
        ((few, target, AlignmentSettings(min_size_px=3)), r"other settings: min_size_px 0.0, now 3"),
        ((few, few / "inside"), "inside of the source"),
        ((few, few), "inside of the source"),
        ((tmp_path / "gone", target), "no folder"),
        ((target.parent / "set" / "Odd", tmp_path / "other"), "no folder"),
        ((few, few.parent), "holds other files"),
    ]
    for arguments, words in cases:
        with pytest.raises(KerasfaceError, match=words):
            align_tree(*arguments)
    (target / "align.jsonl").write_text("{}\n")
    with pytest.raises(KerasfaceError, match=r"align\.jsonl, line 1 is damaged"):
        align_tree(few, target)
    (target / "align.json").write_text("{}")
    with pytest.raises(KerasfaceError, match="not what an alignment left"):
        align_tree(few, target)


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_target_that_takes_no_more_stops_the_run_and_keeps_the_rest(few, tmp_path, jobs):
    target = tmp_path / "set"
    align_tree(few, target)
    shutil.rmtree(target / "Grace")
    (target / "Grace").write_text("a file where a folder must be")
    with pytest.raises(KerasfaceError, match="can't write to .* run the same again to go on"):
        align_tree(few, target, jobs=jobs)
    (target / "Grace").unlink()
    report = align_tree(few, target)
    assert (report.done_before, report.crops) == (1, 1)


def test_missing_models_are_told_before_any_work(few, tmp_path, monkeypatch):
    monkeypatch.setenv("KERASFACE_CACHE", str(tmp_path / "empty"))
    with pytest.raises(KerasfaceError, match="kerasface assets get"):
        align_tree(few, tmp_path / "set")
    assert not (tmp_path / "set").exists()
