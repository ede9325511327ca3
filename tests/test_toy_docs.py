"""The page of the toy experiment says what its JSON says, and its figures are there."""

import importlib.util
import json
import re
import sys
from pathlib import Path

import numpy as np
import pytest

DOCS = Path(__file__).parents[1] / "docs"
HEAVIEST = 400_000  # bytes of a figure in the repository


@pytest.fixture(scope="module")
def script():
    sys.path.insert(0, str(DOCS))  # the page's parts stand beside it
    specification = importlib.util.spec_from_file_location("toy_page", DOCS / "toy.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    yield module
    sys.path.remove(str(DOCS))


@pytest.fixture(scope="module")
def result(script):
    return json.loads(script.RESULT.read_text(encoding="utf-8"))


def test_the_page_is_what_its_json_gives(script, result):
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)


def test_the_page_follows_its_json(script, result):
    def within(run, degrees):
        return {**run, "test": {**run["test"], "within_degrees": degrees}}

    # A world where the papers' order holds everywhere, and one where it holds nowhere.
    tightness = {name: 40.0 - place for place, name in enumerate(dict.fromkeys(np.ravel(script.ORDER)))}
    ordered = [within(run, tightness.get(run["name"], 5.0)) for run in result["runs"]]
    page = script.page({**result, "runs": ordered})
    assert "It holds everywhere, in every seed." in page
    flat = script.page({**result, "runs": [within(run, 7.0) for run in result["runs"]]})
    assert "In 0 of 24 places it holds in every seed." in flat
    assert len(re.findall(r"is not tighter than .* 0 of 3", flat)) == 24


def test_every_setting_was_trained_with_every_seed(result):
    counted = {}
    for run in result["runs"]:
        counted.setdefault((run["group"], run["name"]), []).append(run["seed"])
    assert len(counted) > 40
    assert all(seeds == result["seeds"] for seeds in counted.values())


def test_the_figures_are_there_and_light(script):
    named = re.findall(r"\]\((figures/\w+\.png)\)", script.PAGE.read_text(encoding="utf-8"))
    assert len(named) >= 8
    for name in named:
        assert 10_000 < (DOCS / name).stat().st_size < HEAVIEST, name


def test_the_readme_says_what_became_of_the_heads_of_its_picture(result):
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    pictured = ("Softmax", "A-Softmax, m = 4", "CosFace, m = 0.35", "ArcFace, m = 0.5")
    runs = [run for run in result["runs"] if run["group"] == "mnist_3d" and run["name"] in pictured]
    assert [(run["name"], run["seed"]) for run in runs if run["classes_lost"]] == [("ArcFace, m = 0.5", 1)]
    assert "under one of the others ArcFace lost a class" in " ".join(readme.split())
