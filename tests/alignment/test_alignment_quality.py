import numpy as np
import pytest
from PIL import Image, ImageFilter
from scipy import ndimage

from kerasface.alignment import AlignmentSettings, Quality, measure_quality
from kerasface.edge.align import TEMPLATES

POINTS = {name: np.array(template.points) for name, template in TEMPLATES.items()}
FINE = Quality(score=0.9, size_px=120, sharpness=300, yaw_deg=-20, pitch_deg=10, roll_deg=0)


@pytest.mark.parametrize(("template", "left"), [("arcface_112x112", 30), ("arcface_112x96", 22)])
def test_sharpness_is_the_laplacians_variance_over_the_face(rng, template, left):
    width = TEMPLATES[template].width
    crop = rng.integers(0, 256, (112, width, 3), dtype=np.uint8)
    gray = crop[32:104, left : left + 52] @ [0.299, 0.587, 0.114]
    expected = ndimage.laplace(gray)[1:-1, 1:-1].var()
    found = measure_quality(crop, POINTS[template], 0.9, template)
    assert found.sharpness == pytest.approx(expected)
    around = crop.copy()
    around[:, : left - 1] = 0
    assert measure_quality(around, POINTS[template], 0.9, template).sharpness == found.sharpness


def test_blur_lowers_sharpness(hopper):
    crop = Image.fromarray(hopper).crop((150, 120, 380, 350)).resize((112, 112))
    sharpness = [
        measure_quality(np.array(crop.filter(ImageFilter.GaussianBlur(radius))), POINTS["arcface_112x112"], 1).sharpness
        for radius in (0, 1, 2, 4)
    ]
    assert sharpness == sorted(sharpness, reverse=True)
    assert sharpness[0] > 4 * sharpness[2]


@pytest.mark.parametrize("template", TEMPLATES)
def test_size_is_the_crops_height_in_pixels_of_the_photo(template):
    crop = np.zeros((112, TEMPLATES[template].width, 3), np.uint8)
    assert measure_quality(crop, POINTS[template], 1, template).size_px == pytest.approx(112)
    assert measure_quality(crop, POINTS[template] * 2.5 + 90, 1, template).size_px == pytest.approx(280)


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        ({"min_score": 0.95}, "score 0.90 below 0.95"),
        ({"min_size_px": 121}, "120 pixels high, below 121"),
        ({"min_sharpness": 400}, "sharpness 300 below 400"),
        ({"max_yaw_deg": 15}, "yaw -20 degrees, beyond 15"),
        ({"max_pitch_deg": 5}, "pitch 10 degrees, beyond 5"),
        ({"max_yaw_deg": 20, "max_pitch_deg": 10, "min_score": 0.9, "min_size_px": 120, "min_sharpness": 300}, None),
        ({}, None),
    ],
)
def test_a_shortcoming_names_the_limit(limits, words):
    assert FINE.shortcoming(AlignmentSettings(**limits)) == words


@pytest.mark.parametrize(
    "wrong",
    [{"template": "none"}, {"faces": "best"}, {"min_score": 1}, {"min_size_px": -1}, {"max_yaw_deg": float("nan")}],
)
def test_settings_refuse_what_means_nothing(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} must .*Received: {name}="):
        AlignmentSettings(**wrong)
