"""Generated pages say what their JSON says: nobody has typed a figure into them."""

import json

import pytest

from tests.doc_scripts import load_script


def test_the_page_of_real_faces_is_what_its_json_gives():
    script = load_script("docs/real_faces.py")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)
    begin, end = script.MARKS
    block = script.README.read_text(encoding="utf-8").split(begin)[1].split(end)[0]
    assert block.strip() == script.summary(result)


def test_the_page_of_evaluation_speed_is_what_its_json_gives():
    script = load_script("docs/evaluation_speed.py")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)


def test_the_page_of_peers_and_its_table_in_the_readme_are_what_the_json_gives():
    script = load_script("docs/peers.py")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)
    begin, end = script.MARKS
    block = script.README.read_text(encoding="utf-8").split(begin)[1].split(end)[0]
    assert block.strip() == script.summary(result)


def test_the_page_of_accuracy_and_latency_is_what_its_json_gives():
    script = load_script("docs/accuracy_latency.py")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)


@pytest.mark.parametrize("name", ["cold_start", "gallery_speed"])
def test_the_pages_of_the_edge_are_what_their_json_gives(name):
    script = load_script(f"docs/{name}.py")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)


def test_the_page_of_the_input_pipeline_is_what_its_json_gives():
    script = load_script("docs/input_pipeline.py")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)


def test_the_page_of_heads_speed_is_what_its_json_gives():
    script = load_script("docs/heads_speed.py")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)


def test_the_page_of_the_training_step_is_what_its_json_gives():
    script = load_script("docs/train_step.py")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)


def test_the_figures_of_scaling_are_what_its_json_gives():
    script = load_script("docs/scaling.py")
    begin, end = script.MARKS
    block = script.PAGE.read_text(encoding="utf-8").split(begin)[1].split(end)[0]
    assert block.strip() == script.figures(json.loads(script.RESULT.read_text(encoding="utf-8")))


def test_the_figures_of_export_are_what_its_json_gives():
    script = load_script("docs/export_measured.py")
    begin, end = script.MARKS
    block = script.PAGE.read_text(encoding="utf-8").split(begin)[1].split(end)[0]
    assert block.strip() == script.figures(json.loads(script.RESULT.read_text(encoding="utf-8"))).strip()


def test_the_figures_of_installing_are_what_its_json_gives():
    script = load_script("docs/installed.py")
    begin, end = script.MARKS
    block = script.PAGE.read_text(encoding="utf-8").split(begin)[1].split(end)[0]
    assert block.strip() == script.figures(json.loads(script.RESULT.read_text(encoding="utf-8")))
