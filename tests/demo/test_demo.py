"""The demo's whole way, small: every step runs, the files are there, and the page tells the JSON's figures."""

import json
import re

import pytest
from rich.console import Console

from kerasface.demo import run


@pytest.fixture(scope="module")
def outcome(tmp_path_factory):
    out = tmp_path_factory.mktemp("demo")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run, "_PEOPLE", (24, 20, 44))
        patch.setattr(run, "_IMAGES", (6, 8, 6))
        patch.setattr(run, "_EPOCHS", 2)
        patch.setattr(run, "_BATCH", 16)
        patch.setattr(run, "_VALIDATION_PAIRS", 200)
        patch.setattr(run, "_TEST_PAIRS", 400)
        console = Console(record=True, width=120)
        result = run.run_demo(out, console=console)
    return result, out, console.export_text()


@pytest.mark.slow
def test_every_step_leaves_its_result(outcome):
    result, out, printed = outcome
    for file in result.files:
        assert (out / file).stat().st_size > 0
        assert file in printed
    assert json.loads((out / "result.json").read_text())["verification"] == result.verification
    assert result.training_people == 24
    assert len(result.history) == 2
    assert result.verification["genuine_pairs"] == 200
    assert {report["format"] for report in result.exports} == {"tflite", "onnx"}
    device = result.device
    assert device["people"] == 40
    assert device["known_probes"] == 40 * 3
    assert device["unknown_probes"] == 4 * 6
    assert device["known_named_right"] + device["known_named_wrong"] <= device["known_probes"]


@pytest.mark.slow
def test_the_page_tells_the_figures_without_a_network(outcome):
    result, out, _ = outcome
    page = (out / "report.html").read_text()
    assert f"{100 * result.verification['accuracy_mean']:.1f} %" in page
    assert f"<strong>{result.device['unknown_refused']}</strong>" in page
    assert len(re.findall(r'src="data:image/png;base64,', page)) == 4
    assert not re.findall(r"(src|href)=\"https?:", page)


@pytest.mark.slow
def test_the_device_agrees_with_keras(outcome):
    # FPIR at the same threshold, once by Keras embeddings, once by the exported file in its own process.
    result, _, _ = outcome
    device = result.device
    refused_by_keras = (1 - result.open_set["fpir"]) * device["unknown_probes"]
    assert abs(device["unknown_refused"] - refused_by_keras) <= 1
