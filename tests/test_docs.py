"""Generated pages say what their JSON says: nobody has typed a figure into them."""

import dataclasses
import json

import pytest

from tests.doc_scripts import load_script

PAGES = (
    *("accuracy_latency", "cold_start", "evaluation_speed", "gallery_speed", "heads_speed", "input_pipeline", "peers"),
    *("distilling", "real_faces", "shortcut", "train_step"),
)


def marked(path, script):
    """What stands between a script's marks in a page."""
    begin, end = script.MARKS
    return path.read_text(encoding="utf-8").split(begin)[1].split(end)[0].strip()


@pytest.mark.parametrize("name", PAGES)
def test_a_generated_page_is_what_its_json_gives(name):
    script = load_script(f"docs/{name}.py")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)


@pytest.mark.parametrize("name", ["peers", "real_faces"])
def test_a_part_of_the_readme_is_what_its_json_gives(name):
    script = load_script(f"docs/{name}.py")
    assert marked(script.README, script) == script.summary(json.loads(script.RESULT.read_text(encoding="utf-8")))


def test_the_page_of_the_heads_is_what_their_measures_give(tmp_path):
    script = load_script("docs/heads_compared.py")
    script.render(tmp_path / "page.md")
    assert (tmp_path / "page.md").read_text(encoding="utf-8") == script.PAGE.read_text(encoding="utf-8")


@pytest.mark.parametrize("variant", ["arcface_030_depth4", "a_softmax_depth10"])
def test_what_the_heads_came_to_is_not_said_of_other_measures(variant):
    runs = load_script("docs/heads_compared.py").measured().runs
    conclusions = load_script("docs/heads_conclusions.py").conclusions
    assert "## What came out" in conclusions(runs)
    others = [
        dataclasses.replace(run, lfw=dataclasses.replace(run.lfw, accuracy_mean=0.5)) if run.variant == variant else run
        for run in runs
    ]
    with pytest.raises(ValueError, match="the measures don't say so"):
        conclusions(others)


@pytest.mark.parametrize(
    "name", ["alignment_measured", "export_measured", "finetuning_measured", "installed", "scaling"]
)
def test_the_figures_of_a_page_are_what_their_json_gives(name):
    script = load_script(f"docs/{name}.py")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert marked(script.PAGE, script) == script.figures(result)
