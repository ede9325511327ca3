"""What is said to those who add to the house: which room imports which, and how a head or a backbone is added."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.doc_scripts import ROOT

PACKAGE = ROOT / "kerasface"
FOR_ANYBODY = {"spec", "errors", "registry", "lazy", "progress", "quiet", "distribution"}


def rooms_of_the_page():
    """dict of each path in the first column to the rooms in the last; those that may import any are left out."""
    text = (ROOT / "docs" / "how-it-is-built.md").read_text(encoding="utf-8")
    found = {}
    for line in text.split("| room | what |")[1].split("\n\n")[0].splitlines()[2:]:
        first, _, last = (cell.strip() for cell in line.strip("|").split("|"))
        if last != "any":
            home, *others = re.findall(r"`([\w/.]+)`", first)
            paths = [home, *(str(Path(home).parent / other) for other in others)]
            found.update(dict.fromkeys(paths, set() if last == "nothing" else set(re.findall(r"\w+", last))))
    return found


def imported(path):
    """Names below `kerasface` that a room's files import, also inside functions."""
    inside = [path] if path.is_file() else path.rglob("*.py")
    files = [file for file in inside if "workshop" not in file.parts or path.name == "workshop"]
    names = set()
    for node in (node for file in files for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))):
        if isinstance(node, ast.ImportFrom) and node.module == "kerasface":
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kerasface."):
            names.add(node.module.split(".")[1])
        elif isinstance(node, ast.Import):
            names |= {alias.name.split(".")[1] for alias in node.names if alias.name.startswith("kerasface.")}
    return {name for name in names if (PACKAGE / name).is_dir() or (PACKAGE / f"{name}.py").is_file()}


@pytest.mark.parametrize("path", rooms_of_the_page())
def test_a_room_imports_what_the_page_says(path):
    own = {path.split("/")[1]} if not path.endswith("workshop") else set()
    assert imported(ROOT / path) - FOR_ANYBODY - own == rooms_of_the_page()[path]


def test_the_edge_takes_the_spec_and_errors_alone():
    assert imported(PACKAGE / "edge") == {"edge", "spec", "errors"}
    assert imported(PACKAGE / "spec.py") | imported(PACKAGE / "errors.py") == set()


def test_every_room_is_on_the_page():
    rooms = {file.parent.name for file in PACKAGE.glob("*/__init__.py")}
    named = set(re.findall(r"\w+", (ROOT / "docs" / "how-it-is-built.md").read_text(encoding="utf-8")))
    assert rooms <= named


def test_the_head_of_contributing_passes_the_linters():
    (head,) = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8"), re.DOTALL)
    for check in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *check, "--stdin-filename", "kerasface/heads/my_head.py", "-"]
        done = subprocess.run(command, input=head, capture_output=True, text=True, cwd=ROOT, check=False)
        assert done.returncode == 0, done.stdout + done.stderr


def test_files_and_names_of_the_steps_exist():
    steps = (ROOT / "docs" / "how-it-is-built.md").read_text(encoding="utf-8").split("## Adding a head")[1]
    steps = steps.split("## Figures in pages")[0]
    steps += (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").split("```\n\nExport it")[1].split("## Style")[0]
    names = set(re.findall(r"`([\w/.]+\.py|[A-Z_]{5,}|test_\w+)`", steps))
    assert {"blocks.py", "SMALL", "test_names_are_the_recipes"} <= names
    files = [file for room in ("kerasface", "tests", "docs") for file in (ROOT / room).rglob("*.py")]
    said = "".join(file.read_text(encoding="utf-8") for file in files if file != Path(__file__))
    for name in names:
        if name.endswith(".py"):
            assert any(f"/{file.relative_to(ROOT)}".endswith(f"/{name}") for file in files), name
        else:
            assert re.search(rf"^(def )?{name}\b", said, re.MULTILINE), name
