"""Shell completion: what a shell asks for with the environment's variables, and how it is installed."""

import os
import subprocess
import sys


def _completed(words):
    environment = {
        **os.environ,
        "_KERASFACE_COMPLETE": "complete_bash",
        "COMP_WORDS": words,
        "COMP_CWORD": str(len(words.split()) - 1),
    }
    code = "import sys; sys.argv = ['kerasface']; from kerasface.cli import main; main()"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    return done.stdout.split()


def test_commands_and_options_are_completed():
    assert _completed("kerasface ver") == ["verify"]
    assert _completed("kerasface enroll --gal") == ["--gallery"]


def test_completion_can_be_installed(kerasface):
    out = kerasface("--help")[1]
    assert "--install-completion" in out
    assert "--show-completion" in out
