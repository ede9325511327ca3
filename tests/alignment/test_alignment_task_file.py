"""FaceLandmarker itself, on a bundle of our two models; in a process of its own, as it may hang."""

import json
import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from kerasface.alignment.task_file import TaskFileDetector
from kerasface.edge import FaceDetector
from kerasface.errors import KerasfaceError

pytestmark = pytest.mark.usefixtures("fetched_assets")
_DETECT = """
import json, sys
import numpy as np
from PIL import Image
from kerasface.errors import KerasfaceError
from tests.alignment.task_bundle import write_bundle
from kerasface.alignment import AlignmentSettings, align_tree
from kerasface.alignment.task_file import TaskFileDetector
refusal = ""
open(sys.argv[1], "wb").write(b"no zip archive")
try:
    TaskFileDetector(sys.argv[1])
except KerasfaceError as error:
    refusal = str(error)
detector = TaskFileDetector(write_bundle(sys.argv[1]))
photo = np.array(Image.open(sys.argv[2]))
found = [[face.box.tolist(), face.points.tolist()] for face in detector.detect(photo)]
nothing = detector.detect(np.zeros((50, 70, 3), np.uint8))
report = align_tree(sys.argv[3], sys.argv[4], AlignmentSettings(task_file=sys.argv[1]))
print(json.dumps([refusal, found, nothing, report.counts]))
"""


def test_finds_the_points_that_our_own_detector_finds(hopper, few, tmp_path):
    """The same networks, MediaPipe's own C++ around them: anchors, suppression, rotation, regions, projection."""
    canvas = np.full((600, 1000, 3), 90, np.uint8)
    canvas[200:560, 30:337] = np.array(Image.fromarray(hopper).resize((307, 360)))
    canvas[:, 440:952] = hopper
    Image.fromarray(canvas).save(tmp_path / "two.png")
    command = [sys.executable, "-c", _DETECT, tmp_path / "face.task", tmp_path / "two.png", few, tmp_path / "set"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    refusal, found, nothing, counts = json.loads(done.stdout.splitlines()[-1])
    assert "doesn't take" in refusal
    assert nothing == []
    ours = FaceDetector().detect(canvas)
    assert len(found) == len(ours) == 2
    for face, (box, points) in zip(ours, found, strict=True):
        apart = np.linalg.norm(face.points - points, axis=1) / np.linalg.norm(face.points[1] - face.points[0])
        assert apart.max() < 0.1  # of the distance between the eyes
        assert apart.mean() < 0.05
        assert (np.array(box[:2]) < face.points.min(0)).all()
        assert (face.points.max(0) < box[2:]).all()
    assert (counts["ok"], counts["none"]) == (1, 1)


def test_says_what_is_missing(tmp_path, monkeypatch):
    with pytest.raises(KerasfaceError, match=r"no \.task file .*gone\.task"):
        TaskFileDetector(tmp_path / "gone.task")
    (tmp_path / "face.task").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    with pytest.raises(KerasfaceError, match=r"pip install 'kerasface\[mediapipe\]'"):
        TaskFileDetector(tmp_path / "face.task")
