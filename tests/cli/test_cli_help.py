"""Help, version, and the weight of the device's commands."""

import subprocess
import sys

import pytest

import kerasface as package

COMMANDS = [
    "demo",
    "doctor",
    "align",
    "pack",
    "clean",
    "train",
    "finetune",
    "compare",
    "launch",
    "evaluate",
    "calibrate",
]
COMMANDS += ["export", "benchmark", "verify", "enroll", "identify", "watch", "assets get"]
COMMANDS += [f"gallery {command}" for command in ("ls", "rm", "export", "import", "key", "encrypt", "renew")]
COMMANDS += [f"zoo {command}" for command in ("ls", "show", "get", "verify", "build", "import")]
COMMANDS += [f"plot {figure}" for figure in ("psi", "target-logits", "boundaries", "toy", "report")]


def test_version(kerasface):
    assert kerasface("--version")[1].strip() == f"kerasface {package.__version__}"


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(kerasface, command):
    code, out, _ = kerasface(*command.split(), "--help")
    assert code == 0
    assert f"Example: kerasface {command}" in out


def test_help_names_the_extra_that_an_option_needs(kerasface):
    _, out, _ = kerasface("align", "--help")
    assert "kerasface[train]" in out  # Rich would take the brackets for markup


def test_help_imports_nothing_that_takes_time():
    heavy = {"tensorflow", "keras", "sklearn", "numpy"}
    code = f"import sys, kerasface.cli.app; print(sorted({heavy} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
