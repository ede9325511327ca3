import itertools
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from kerasface.errors import KerasfaceError
from kerasface.plot import save
from kerasface.plot.style import ACCEPTED, GENUINE, IMPOSTOR, PALETTE, REJECTED, figure, styled

# Machado, Oliveira and Fernandes, IEEE TVCG 15 (2009), severity 1: what linear RGB looks like to each kind of eye.
_EYES = {
    "normal": np.eye(3),
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def _lab(color, eye):
    """CIE L*a*b* of an sRGB colour as that eye sees it."""
    rgb = np.array(to_rgb(color))
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    seen = np.clip(np.array(_EYES[eye]) @ linear, 0, 1)
    to_xyz = [[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]
    x, y, z = np.cbrt(np.array(to_xyz) @ seen / [0.9505, 1.0, 1.089])  # none here is dark enough for the linear part
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


@pytest.mark.parametrize("eye", _EYES)
def test_colors_can_be_told_apart(eye):
    for one, other in itertools.combinations(PALETTE, 2):
        assert np.linalg.norm(_lab(one, eye) - _lab(other, eye)) > 10, (one, other)
    for one, other in ((GENUINE, IMPOSTOR), (ACCEPTED, REJECTED)):
        assert np.linalg.norm(_lab(one, eye) - _lab(other, eye)) > 50


def test_style_leaves_global_settings_alone():
    before = dict(matplotlib.rcParams)
    with styled():
        assert not matplotlib.rcParams["axes.spines.top"]
    assert dict(matplotlib.rcParams) == before


def test_no_pyplot():
    program = "import sys, kerasface.plot; print('matplotlib.pyplot' in sys.modules, 'tensorflow' in sys.modules)"
    output = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert output.split() == ["False", "False"]


@pytest.fixture
def drawing():
    with styled():
        drawing, (axis,) = figure(3, 2)
        axis.plot([0, 1], [0, 1])
    return drawing


def test_png_and_svg_are_written_and_folders_made(drawing, tmp_path):
    png, svg = save(drawing, tmp_path / "report" / "a.png"), save(drawing, str(tmp_path / "report" / "a.SVG"))
    assert Image.open(png).size == (450, 300)
    assert "<svg" in svg.read_text()


@pytest.mark.parametrize("name", ["a.png", "a.svg"])
def test_the_same_figure_gives_the_same_bytes(drawing, tmp_path, name):
    assert save(drawing, tmp_path / "one" / name).read_bytes() == save(drawing, tmp_path / "two" / name).read_bytes()


def test_places_and_endings_that_do_not_serve_are_refused(drawing, tmp_path):
    with pytest.raises(ValueError, match=r"\.png or \.svg\. Received: 'a\.bmp'"):
        save(drawing, tmp_path / "a.bmp")
    (tmp_path / "file").touch()
    with pytest.raises(KerasfaceError, match="cannot be written to"):
        save(drawing, tmp_path / "file" / "a.png")
