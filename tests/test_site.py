"""The pages that are made while the site is built hold every public name and every command."""

import importlib
import inspect
import re

import pytest
import yaml

from tests.doc_scripts import ROOT, load_script


@pytest.fixture(scope="module")
def hooks():
    return load_script("docs/site_hooks.py")


@pytest.fixture(scope="module")
def nav():
    def pages(entry):
        if isinstance(entry, str):
            return [entry]
        return [page for part in (entry.values() if isinstance(entry, dict) else entry) for page in pages(part)]

    return pages(yaml.safe_load((ROOT / "mkdocs.yml").read_text(encoding="utf-8"))["nav"])


def test_every_public_class_and_function_is_on_its_rooms_page(hooks):
    for room in hooks.ROOMS:
        package = importlib.import_module(f"kerasface.{room}")
        page = hooks.api_page(f"kerasface.{room}")
        shown = {line.rsplit(".", 1)[1] for line in page.splitlines() if line.startswith("::: ")}
        public = {name: getattr(package, name) for name in package.__all__}
        classes_and_functions = {name for name, it in public.items() if inspect.isclass(it) or inspect.isfunction(it)}
        assert classes_and_functions <= shown, room
        for line in page.splitlines():
            if line.startswith("::: "):
                module, name = line[4:].rsplit(".", 1)
                assert hasattr(importlib.import_module(module), name)


def test_every_command_is_on_the_page(hooks):
    from tests.cli.test_cli_help import COMMANDS

    page = hooks.commands_page()
    assert set(COMMANDS) <= set(re.findall(r"^## (.+)$", page, re.MULTILINE))
    assert "| `--min-score` | Least detector score that counts as a face. |" in page


def test_every_page_has_its_place_in_the_menu(hooks, nav):
    made = {f"api/{room}.md" for room in (*hooks.ROOMS, "kerasface")} | {"commands.md"}
    assert made <= set(nav)
    for page in set(nav) - made:
        assert (ROOT / "docs" / page).is_file(), page


def test_docstrings_are_brought_into_the_parsers_words():
    script = load_script("docs/site_docstrings.py")

    class Object:
        class docstring:
            value = (
                "A head.\n\nCall arguments:\n    x: (B,),\n        or none.\n    y: int.\n\nExample:\n    >>> f(x)\n"
            )

    script.OurSections().on_object(obj=Object)
    assert Object.docstring.value == (
        "A head.\n\nCall arguments:\n    - x: (B,),\n          or none.\n    - y: int.\n\nExamples:\n    >>> f(x)\n"
    )
