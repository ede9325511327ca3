import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasface.edge.align import TEMPLATES, crop, crops, similarity_transform
from kerasface.edge.images import load_image

ARCFACE = [(38.2946, 51.6963), (73.5318, 51.5014), (56.0252, 71.7366), (41.5493, 92.3655), (70.7299, 92.2041)]


def umeyama(source, target):
    """The paper's own formulas, eq. 40–42, with the singular value decomposition."""
    n = len(source)
    x, y = source - source.mean(0), target - target.mean(0)
    u, d, vt = np.linalg.svd(y.T @ x / n)
    s = np.array([1, np.sign(np.linalg.det(u) * np.linalg.det(vt))])
    rotation = u @ np.diag(s) @ vt
    scale = (d * s).sum() / (x**2).sum() * n
    return np.column_stack([scale * rotation, target.mean(0) - scale * rotation @ source.mean(0)])


@given(
    scale=st.floats(0.01, 100),
    angle=st.floats(-np.pi, np.pi),
    shift=st.tuples(st.floats(-1e4, 1e4), st.floats(-1e4, 1e4)),
)
def test_recovers_any_similarity_exactly(scale, angle, shift):
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    truth = np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]])
    source = np.array(ARCFACE)
    found = similarity_transform(source, source @ truth[:, :2].T + truth[:, 2])
    np.testing.assert_allclose(found, truth, rtol=1e-9, atol=1e-8)


def test_equals_umeyamas_decomposition_on_points_that_fit_no_similarity(rng):
    for _ in range(50):
        source, target = rng.normal(size=(2, 5, 2)) * 40 + 100
        found = similarity_transform(source, target)
        assert found.dtype == np.float64
        np.testing.assert_allclose(found, umeyama(source, target), rtol=1e-9, atol=1e-9)


def test_many_sets_at_once_equal_one_after_another(rng):
    sources, targets = rng.normal(size=(2, 3, 4, 5, 2)) * 40 + 100
    together, to_one = similarity_transform(sources, targets), similarity_transform(sources, ARCFACE)
    assert together.shape == to_one.shape == (3, 4, 2, 3)
    for place in np.ndindex(3, 4):
        np.testing.assert_allclose(together[place], umeyama(sources[place], targets[place]), rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(to_one[place], umeyama(sources[place], np.array(ARCFACE)), rtol=1e-9, atol=1e-9)


def test_refuses_points_that_determine_nothing():
    with pytest.raises(ValueError, match="must not all coincide"):
        similarity_transform([(3, 4)] * 5, ARCFACE)
    with pytest.raises(ValueError, match=r"must be \(P, 2\) or \(..., P, 2\), .*Received: \(4, 2\) and \(5, 2\)"):
        similarity_transform(ARCFACE[:4], ARCFACE)
    with pytest.raises(ValueError, match="finite"):
        similarity_transform([*ARCFACE[:4], (np.nan, 1)], ARCFACE)


@pytest.mark.parametrize(
    ("template", "size", "left"), [("arcface_112x112", (112, 112), 0), ("arcface_112x96", (96, 112), 8)]
)
@pytest.mark.parametrize("scale", [0.6, 1.0, 1.3, 2.7, 9.4])
def test_the_five_points_land_on_the_template(template, size, left, scale):
    # A spot at one point after another, on a face turned and scaled: the crop must show it at the template's place.
    cosine, sine = scale * np.cos(0.35), scale * np.sin(0.35)
    points = np.array(ARCFACE) @ [[cosine, sine], [-sine, cosine]] + (60.3 * scale, 25.8 * scale)
    y, x = np.mgrid[: int(190 * scale), : int(190 * scale)]
    for point, (target_x, target_y) in zip(points, ARCFACE, strict=True):
        spot = 250 * np.exp(-((x - point[0]) ** 2 + (y - point[1]) ** 2) / (2 * (3 * scale) ** 2))
        face = crop(np.repeat(np.rint(spot).astype(np.uint8)[..., None], 3, axis=2), points, template)
        assert face.shape == (size[1], size[0], 3)
        weights = face[..., 0] / face[..., 0].sum(dtype=np.float64)
        rows, columns = np.mgrid[: size[1], : size[0]]
        assert abs((weights * columns).sum() - (target_x - left)) < 0.1
        assert abs((weights * rows).sum() - target_y) < 0.1


def test_templates_are_those_of_the_spec():
    from kerasface.spec import EmbedderSpec

    for name, template in TEMPLATES.items():
        spec = EmbedderSpec("n", "i", 8, input_height=template.height, input_width=template.width, template=name)
        assert spec.template == name


def test_crop_refuses_unknown_templates_and_other_pictures(hopper):
    with pytest.raises(ValueError, match=r"arcface_112x112, arcface_112x96. Received: template='none'"):
        crop(hopper, ARCFACE, "none")
    with pytest.raises(ValueError, match="uint8 RGB"):
        crop(hopper / 255, ARCFACE)
    with pytest.raises(ValueError, match="coincide"):
        crop(hopper, np.zeros((5, 2)))


def test_a_batch_of_crops_equals_crop_after_crop(hopper, rng):
    pictures = [hopper, np.ascontiguousarray(hopper[:300, :250]), hopper[:, ::-1]]
    points = np.array(ARCFACE) * rng.uniform(1, 3, (3, 1, 1)) + rng.uniform(0, 90, (3, 1, 2))
    for template in TEMPLATES:
        batch = crops(pictures, points, template)
        assert batch.shape == (3, TEMPLATES[template].height, TEMPLATES[template].width, 3)
        for picture, five, made in zip(pictures, points, batch, strict=True):
            np.testing.assert_array_equal(made, crop(picture, five, template))
    assert crops([], np.zeros((0, 5, 2))).shape == (0, 112, 112, 3)
    with pytest.raises(ValueError, match=r"points must be \(3, 5, 2\), one set a picture. Received: \(2, 5, 2\)"):
        crops(pictures, points[:2])


@pytest.mark.shared_data
def test_crops_equal_the_published_alignment(shared_data):
    """Crops from the published points differ from the published crops by JPEG noise only."""
    lfw = shared_data / "lfw"
    lines = [line.split() for line in (lfw / "landmarks_mtcnn_250.txt").read_text().splitlines()]
    here = [line for line in lines if (lfw / "photos_250" / line[0]).is_file()][::20]
    assert len(here) > 50
    for name, *numbers in here:
        points = np.array(numbers, float).reshape(5, 2)
        ours = crop(load_image(lfw / "photos_250" / name), points).astype(float)
        theirs = load_image(lfw / "aligned_112" / name)
        # Half a pixel's shift alone gives more than 5 on most photos.
        assert np.abs(ours - theirs).mean() < 4, name
