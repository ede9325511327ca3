"""The table of rooms in docs/how-it-is-built.md says which room imports which."""

import ast
import re
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
