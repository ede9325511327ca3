"""The shared vectors are what kerasface.edge answers today, so that other languages are held to nothing else."""

import base64
import hashlib
import json

import numpy as np
import pytest

from tests.doc_scripts import ROOT, load_script

make = load_script("export/vectors/make.py")


def assert_same(received, expected):
    """Numbers to 1e-9, everything else exactly."""
    if isinstance(expected, dict):
        assert received.keys() == expected.keys()
        for key in expected:
            assert_same(received[key], expected[key])
    elif isinstance(expected, list):
        assert len(received) == len(expected)
        for mine, theirs in zip(received, expected, strict=True):
            assert_same(mine, theirs)
    elif isinstance(expected, float):
        assert received == pytest.approx(expected, rel=1e-9, abs=1e-9)
    else:
        assert received == expected


@pytest.mark.parametrize("name", make.VECTORS)
def test_the_file_is_what_edge_answers(name):
    written = json.loads((ROOT / "export" / "vectors" / f"{name}.json").read_text(encoding="utf-8"))
    assert_same(written, make.vectors(name))


def test_no_file_is_left_over():
    assert {path.stem for path in (ROOT / "export" / "vectors").glob("*.json")} == set(make.VECTORS)


def test_the_picture_is_what_its_formula_says():
    image = make.picture(23, 17)
    assert image.shape == (17, 23, 3)
    assert image[11, 20, 2] == ((3 * 400 + 5 * 121 + 7 * 220 + 2 * 4099) >> 6) % 256


def test_the_cases_cover_what_they_are_for():
    """Half of the pictures lie inside, none is blank, and people known and unknown are both among the answers."""
    warped = [np.frombuffer(base64.b64decode(case["rgb"]), np.uint8) for case in make.vectors("warp")["cases"]]
    assert all(pixels.any() for pixels in warped)
    assert len({hashlib.sha256(pixels).hexdigest() for pixels in warped}) == len(warped)
    names = [probe["name"] for probe in make.vectors("decisions")["probes"]]
    assert {"Ann", "bob", "Žofia", None} == set(names)
    merging = make.vectors("detection")["merging"]
    assert 1 < len(merging["merged_scores"]) < len(merging["scores"])
    boxes = [face["box"] for face in make.vectors("detection")["landmarks"]]
    at_border = [[at for at, edge in enumerate((-0.5, -0.5, 639.5, 479.5)) if box[at] == edge] for box in boxes]
    assert at_border == [[], [0, 1], [2, 3]]
