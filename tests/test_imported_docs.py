"""The page of imported weights is what its JSON gives, and its figures are those that the project asks for."""

import json
from pathlib import Path

import pytest

from tests.doc_scripts import load_script

DOCS = Path(__file__).parents[1] / "docs"


@pytest.fixture(scope="module")
def script():
    return load_script("docs/imported.py")


@pytest.fixture(scope="module")
def result(script):
    return json.loads(script.RESULT.read_text(encoding="utf-8"))


def test_the_page_is_what_its_json_gives(script, result):
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)


def test_both_files_reach_their_published_accuracy_and_their_proof(result):
    assert [model["name"] for model in result["models"]] == ["mobilefacenet.faceplugin", "mobilefacenet.expo"]
    for model in result["models"]:
        assert model["lfw"]["Keras, flip none"]["accuracy_mean"] >= 0.986  # 99.1 % ± .5
        assert model["proof"]["max_relative"] <= 1e-4
        assert model["proof"]["min_cosine"] >= 0.99999
        assert model["proof"]["images"] >= 64


def test_the_readme_quotes_the_page(result):
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    quoted = " and ".join(f"{model['lfw']['Keras, flip none']['accuracy_mean']:.2%}" for model in result["models"])
    assert f"reach {quoted.replace('%', ' %')} on LFW" in readme
