"""Output that can't hold every letter, as a pipe on Windows, is no reason to fail."""

import os
import subprocess
import sys

import pytest


@pytest.mark.parametrize(("encoding", "told"), [("ascii", r"112\xd7112"), ("utf-8", "112×112")])
def test_what_the_output_can_not_hold_is_escaped(encoding, told):
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "COLUMNS": "120"}
    command = [sys.executable, "-m", "kerasface", "zoo", "ls"]
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    assert told in done.stdout.decode(encoding)
