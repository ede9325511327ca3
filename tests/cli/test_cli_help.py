"""Help, version, and the weight of the device's commands."""

import inspect
import subprocess
import sys

import pytest
import typer

import kerasface as package
from kerasface.cli.app import app

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
    assert "range>" not in out  # "N [x>=1]" says as much, and leaves the line to the help


def test_help_breaks_no_line_where_the_terminal_does_not():
    """Typer keeps the line breaks of all paragraphs but the first, which cuts lines to pieces in a narrow terminal."""

    def texts(group):
        for command in group.commands.values():
            yield from texts(command) if hasattr(command, "commands") else [(command.name, command.help)]

    helps = list(texts(typer.main.get_command(app)))
    assert len(helps) == len(COMMANDS)
    for name, text in helps:
        assert all("\n" not in part for part in inspect.cleandoc(text).split("\n\n")[1:]), name


def test_help_names_the_extra_that_an_option_needs(kerasface):
    _, out, _ = kerasface("align", "--help")
    assert "kerasface[train]" in out  # Rich would take the brackets for markup


def test_help_imports_nothing_that_takes_time():
    heavy = {"tensorflow", "keras", "sklearn", "numpy"}
    code = f"import sys, kerasface.cli.app; print(sorted({heavy} & set(sys.modules)))"
    process = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert process.stdout.strip() == "[]"
