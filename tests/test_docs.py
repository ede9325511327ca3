"""Generated pages say what their JSON says: nobody has typed a figure into them."""

import importlib.util
import json
from pathlib import Path

ROOT = Path(__file__).parents[1]


def load_script(name):
    specification = importlib.util.spec_from_file_location(name, ROOT / "docs" / f"{name}.py")
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


def test_the_page_of_real_faces_is_what_its_json_gives():
    script = load_script("real_faces")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)
    begin, end = script.MARKS
    block = script.README.read_text(encoding="utf-8").split(begin)[1].split(end)[0]
    assert block.strip() == script.summary(result)


def test_the_page_of_evaluation_speed_is_what_its_json_gives():
    script = load_script("evaluation_speed")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)


def test_the_page_of_the_input_pipeline_is_what_its_json_gives():
    script = load_script("input_pipeline")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)


def test_the_page_of_heads_speed_is_what_its_json_gives():
    script = load_script("heads_speed")
    result = json.loads(script.RESULT.read_text(encoding="utf-8"))
    assert script.PAGE.read_text(encoding="utf-8") == script.page(result)


def test_the_figures_of_scaling_are_what_its_json_gives():
    script = load_script("scaling")
    begin, end = script.MARKS
    block = script.PAGE.read_text(encoding="utf-8").split(begin)[1].split(end)[0]
    assert block.strip() == script.figures(json.loads(script.RESULT.read_text(encoding="utf-8")))
