import subprocess
import sys

import kerasface.alignment


def test_aligning_a_tree_needs_only_what_a_device_has():
    code = """
import sys
from kerasface.alignment import *
from kerasface.alignment import log, workers
heavy = {"tensorflow", "keras", "matplotlib", "scipy", "sklearn", "cv2", "mediapipe", "apache_beam"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_public_name_is_there():
    for name in kerasface.alignment.__all__:
        assert getattr(kerasface.alignment, name).__name__ == name
