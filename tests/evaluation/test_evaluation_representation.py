import numpy as np
import pytest
from PIL import Image

from kerasface.errors import KerasfaceError
from kerasface.evaluation import represent, unit


@pytest.fixture
def images(rng):
    return rng.integers(0, 256, (11, 6, 4, 3), np.uint8)


def _pixels(batch):
    """An embedder that sees left from right: the pixels themselves."""
    return batch.reshape(len(batch), -1).astype(np.float64) - 100


def _row(image):
    vector = image.reshape(-1).astype(float) - 100
    return vector / np.linalg.norm(vector)


def test_rows_are_the_unit_embeddings(images):
    rows = represent(_pixels, images, batch_size=4)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(rows, [_row(image) for image in images], atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 4, 11, 100])
@pytest.mark.parametrize("flip", ["none", "sum", "concatenate"])
def test_the_batch_size_does_not_show(images, flip, batch_size):
    np.testing.assert_array_equal(
        represent(_pixels, images, flip=flip, batch_size=batch_size), represent(_pixels, images, flip=flip)
    )


def test_flip_joins_the_face_and_its_mirror_image(images):
    mirrored = [_row(image[:, ::-1]) for image in images]
    faces = [_row(image) for image in images]
    summed = np.add(faces, mirrored)
    np.testing.assert_allclose(
        represent(_pixels, images, flip="sum"), summed / np.linalg.norm(summed, axis=1, keepdims=True), atol=1e-6
    )
    np.testing.assert_allclose(
        represent(_pixels, images, flip="concatenate"), np.hstack([faces, mirrored]) / np.sqrt(2), atol=1e-6
    )


@pytest.mark.parametrize("flip", ["none", "sum", "concatenate"])
def test_raw_and_unit_embedders_are_represented_alike(images, flip):
    raw = represent(lambda batch: _pixels(batch) * (1 + batch[:, 0, :1, 0]), images, flip=flip)
    np.testing.assert_allclose(raw, represent(_pixels, images, flip=flip), atol=1e-6)


def test_progress_counts_images(images):
    seen = []
    represent(_pixels, images, batch_size=4, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(4, 11), (8, 11), (11, 11)]


def test_paths_are_decoded_in_order(images, tmp_path):
    paths = [tmp_path / f"{number}.png" for number in range(len(images))]
    for path, image in zip(paths, images, strict=True):
        Image.fromarray(image).save(path)
    expected = represent(_pixels, images, batch_size=4)
    np.testing.assert_array_equal(represent(_pixels, paths, batch_size=4), expected)
    np.testing.assert_array_equal(represent(_pixels, [str(path) for path in paths], batch_size=4), expected)


def test_a_path_of_another_size_is_named(images, tmp_path):
    for name, image in (("a.png", images[0]), ("b.png", images[0][:5])):
        Image.fromarray(image).save(tmp_path / name)
    with pytest.raises(KerasfaceError, match=r"b\.png: expected 6x4 .* Received: 5x4.*kerasface align"):
        represent(_pixels, [tmp_path / "a.png", tmp_path / "b.png"], batch_size=1)


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
@pytest.mark.parametrize("flip", ["none", "sum"])
def test_an_embedding_without_direction_is_named_by_its_row(images, value, flip):
    images[7] = 33

    def embed(batch):
        return np.where((batch == 33).all(axis=(1, 2, 3))[:, None], value, _pixels(batch))

    with pytest.raises(KerasfaceError, match="embedding of image 7 is zero or not finite"):
        represent(embed, images, flip=flip, batch_size=3)


def test_an_embedding_without_direction_is_named_by_its_path(images, tmp_path):
    Image.fromarray(images[0]).save(tmp_path / "face.png")
    with pytest.raises(KerasfaceError, match=r"image 0 \(.*face\.png\)"):
        represent(lambda batch: np.full((len(batch), 5), np.nan), [tmp_path / "face.png"])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"images": np.zeros((2, 6, 4, 3))}, "float64"),
        ({"images": np.zeros((6, 4, 3), np.uint8)}, r"\(6, 4, 3\)"),
        ({"images": []}, "no images"),
        ({"flip": "mirror"}, "flip='mirror'"),
        ({"batch_size": 0}, "batch_size=0"),
        ({"embed": lambda batch: np.ones(len(batch))}, r"\(11,\)"),
        ({"embed": lambda batch: np.ones((1, 8))}, r"\(1, 8\)"),
    ],
)
def test_what_does_not_fit_is_refused(images, arguments, message):
    with pytest.raises(ValueError, match=message):
        represent(**{"embed": _pixels, "images": images, **arguments})


def test_unit_scales_half_precision_without_overflow():
    row = np.full((1, 4), 30_000, np.float16)
    np.testing.assert_allclose(unit(row), 0.5)


def test_unit_names_the_row_without_direction():
    with pytest.raises(ValueError, match="row 1 of length 0"):
        unit([[1.0, 2.0], [0.0, 0.0]])
    with pytest.raises(ValueError, match=r"\(3,\)"):
        unit(np.ones(3))
