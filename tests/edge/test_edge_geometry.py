import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kerasface.edge.geometry import check_image, compose, invert, square_view, transform_points, warp


def similarity(scale, angle, shift):
    cosine, sine = scale * np.cos(angle), scale * np.sin(angle)
    return np.array([[cosine, -sine, shift[0]], [sine, cosine, shift[1]]])


def blob_image(center, sigma, size):
    """A bright Gaussian spot whose centroid is known to a fraction of a pixel."""
    y, x = np.mgrid[: size[1], : size[0]]
    blob = 250 * np.exp(-((x - center[0]) ** 2 + (y - center[1]) ** 2) / (2 * sigma**2))
    return np.repeat(np.rint(blob).astype(np.uint8)[..., None], 3, axis=2)


def centroid(image):
    weights = image[..., 1].astype(np.float64)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return np.array([(weights * x).sum(), (weights * y).sum()]) / weights.sum()


@settings(max_examples=60)
@given(
    scale=st.floats(0.08, 3),
    angle=st.floats(-np.pi, np.pi),
    target=st.tuples(st.floats(40, 70), st.floats(40, 70)),
    source=st.tuples(st.floats(200, 300), st.floats(200, 300)),
)
def test_warp_puts_a_spot_where_the_matrix_says(scale, angle, target, source):
    matrix = similarity(scale, angle, (0, 0))
    matrix[:, 2] = np.array(target) - matrix[:, :2] @ source
    sigma = 3 * max(1, 1 / scale)
    result = warp(blob_image(source, sigma, (500, 500)), matrix, (112, 112))
    assert np.abs(centroid(result) - target).max() < 0.1


@pytest.mark.parametrize("scale", [0.7, 0.45, 0.21, 0.09])
def test_warp_antialiases_where_it_shrinks(scale):
    noise = np.random.default_rng(0).integers(0, 256, (700, 700, 3), dtype=np.uint8)
    matrix = similarity(scale, 0.3, (0, 0))
    matrix[:, 2] = 20 - matrix[:, :2] @ (350, 350)
    inside = warp(noise, matrix, (40, 40))[10:30, 10:30].astype(float)
    assert abs(inside.mean() - 127.5) < 3
    # A mean over the pixel's area, 1 / scale², deviates by 74 · scale; single samples by 74, bilinear ones by 50.
    assert inside.std() < 74 * scale


@pytest.mark.parametrize("factor", [2, 3, 4, 5, 8])
def test_warp_by_a_whole_factor_averages_blocks(factor, rng):
    image = rng.integers(0, 256, (12 * factor, 12 * factor, 3), dtype=np.uint8)
    view = square_view(center=(6 * factor - 0.5, 6 * factor - 0.5), side=12 * factor, angle=0.0, size=12)
    means = image.reshape(12, factor, 12, factor, 3).mean((1, 3))
    assert np.abs(warp(image, view, (12, 12)) - means).max() <= 1


def test_warp_by_the_identity_or_a_whole_shift_copies_and_is_black_outside(rng):
    image = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    np.testing.assert_array_equal(warp(image, similarity(1, 0, (0, 0)), (30, 20)), image)
    shifted = warp(image, similarity(1, 0, (4, -3)), (30, 20))
    np.testing.assert_array_equal(shifted[:17, 4:], image[3:, :26])
    assert not shifted[17:].any()
    assert not shifted[:, :4].any()


def test_warp_far_outside_is_black(rng):
    image = rng.integers(0, 256, (20, 30, 3), dtype=np.uint8)
    assert not warp(image, similarity(1, 0, (1000, 0)), (16, 16)).any()


def test_invert_and_compose_undo_each_other(rng):
    first, second = similarity(1.7, 0.4, (3, 9)), similarity(0.2, -2, (-8, 1))
    points = rng.normal(size=(10, 2)) * 50
    both = transform_points(compose(second, first), points)
    np.testing.assert_allclose(both, transform_points(second, transform_points(first, points)), atol=1e-9)
    np.testing.assert_allclose(transform_points(invert(first), transform_points(first, points)), points, atol=1e-9)


def test_square_view_maps_its_corners_to_the_view():
    view = square_view(center=(50, 80), side=20, angle=np.pi / 2, size=10)
    # Turned clockwise by a right angle: the square's top-right corner is the view's top left, edges half a pixel out.
    np.testing.assert_allclose(
        transform_points(view, [(60, 70), (60, 90), (40, 90)]), [(-0.5, -0.5), (9.5, -0.5), (9.5, 9.5)]
    )


@pytest.mark.parametrize(
    "image",
    [
        [[1]],
        np.zeros((4, 4), np.uint8),
        np.zeros((4, 4, 4), np.uint8),
        np.zeros((4, 4, 3), np.float32),
        np.zeros((0, 4, 3), np.uint8),
    ],
)
def test_check_image_refuses_what_is_no_rgb_picture(image):
    with pytest.raises(ValueError, match=r"photo must be a uint8 RGB array.*Received: "):
        check_image(image, "photo")
