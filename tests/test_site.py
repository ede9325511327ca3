"""The pages that are made while the site is built hold every public name and every command."""

import dataclasses
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


def _lacks(name, thing):
    """The sections that a public function's or class's docstring should have and doesn't."""
    docstring = inspect.getdoc(thing) or ""
    wanted = {"Example:"}
    if {*inspect.signature(thing).parameters} - {"args", "kwargs"}:
        wanted.add("Args:")
    if inspect.isfunction(thing) and re.search(r"\n    return \w", inspect.getsource(thing)):
        wanted.add("Returns:")
    return [f"{name} lacks {section}" for section in sorted(wanted) if f"\n{section}\n" not in docstring]


def test_every_public_function_and_class_has_its_sections(hooks):
    lacking = []
    for room in hooks.ROOMS:
        for name, home in hooks.public_names(f"kerasface.{room}").items():
            thing = getattr(importlib.import_module(home), name)
            # Records of results come from a function that has an example.
            if inspect.isfunction(thing) or (inspect.isclass(thing) and not dataclasses.is_dataclass(thing)):
                lacking += _lacks(f"{home}.{name}", thing)
    assert lacking == []


def test_every_command_is_on_the_page(hooks):
    from tests.cli.test_cli_help import COMMANDS

    page = hooks.commands_page()
    assert set(COMMANDS) <= set(re.findall(r"^## (.+)$", page, re.MULTILINE))
    assert "| `--min-score` | Least detector score of a face. | `0.5` |" in page
    assert "| `--to` | tflite, onnx or saved-model. | needed |" in page
    assert "| `--layout` | onnx: of the input; nhwc by default. One of nhwc, nchw. |" in page
    assert "| `RECIPE` | YAML file; the project's own lie in zoo/recipes. | needed |" in page


def test_every_field_of_a_recipe_is_on_the_page_with_its_limits(hooks):
    from kerasface.training import Recipe
    from kerasface.training.recipe import solver

    page = hooks.recipe_page()
    parts = dict(part.split("\n", 1) for part in page.split("\n## "))
    assert all(f"| `{name}` |" in parts["# Recipe fields"] for name in Recipe.model_fields)
    assert {"data", "augmentation", "teacher", "strategy", "validation"} <= set(parts)
    for section in (solver.SGDSection, solver.AdamWSection):
        name = section.model_fields["name"].annotation.__args__[0]
        assert all(f"| `{field}` |" in parts[f"optimizer {{name: {name}}}"] for field in section.model_fields)
    for name in ("constant", "step", "polynomial", "cosine"):
        assert f"schedule {{name: {name}}}" in parts
    assert "| `held_out` | number, > 0, < 1 | `0.05` |" in page
    assert "| `clip_norm` | number, > 0, or `null` | `null` |" in page
    assert "| `channel_order` | `rgb` or `bgr` | needed |" in page
    assert "| `optimizer` | a section, below | `{name: sgd}` |" in page


@pytest.mark.parametrize("room", ["heads", "losses", "backbones"])
def test_names_that_a_recipe_may_use_are_on_the_rooms_page(hooks, room):
    page = hooks.api_page(f"kerasface.{room}")
    named = set(re.findall(r"^\| `(\w+)` \| `\w+\(", page, re.MULTILINE))
    assert named == set(importlib.import_module(f"kerasface.{room}").names())


def test_functions_of_a_public_module_are_on_its_rooms_page(hooks):
    page = hooks.api_page("kerasface.edge")
    assert page.index("In `kerasface.edge.align`:") < page.index("::: kerasface.edge.align.crops")


def test_every_page_has_its_place_in_the_menu(hooks, nav):
    made = {f"api/{room}.md" for room in (*hooks.ROOMS, "kerasface")}
    made |= {"commands.md", "recipe-fields.md", hooks.ZOO_PAGE}
    assert made <= set(nav)
    for page in set(nav) - made:
        assert (ROOT / "docs" / page).is_file(), page


def test_the_zoos_table_leads_to_its_cards(hooks):
    table, *cards = hooks.zoo_pages().values()
    named = re.findall(r"\]\((cards/[^)]+)\)", table)
    assert len(named) == len(cards) > 0
    assert set(named) < set(hooks.zoo_pages())
    assert "](recipes/" not in table  # files of the repository
    assert hooks.on_page_markdown("[all](../zoo/README.md)", page=None) == "[all](embedders.md)"


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
