import numpy as np
import pytest
from sklearn.datasets import load_digits as sklearn_digits

from kerasface.errors import KerasfaceError
from kerasface.toy import load_digits


@pytest.fixture
def mnist(tmp_path, rng):
    """A file like MNIST's, sorted by class and with two digits only; each image's corner tells its number."""
    path = tmp_path / "mnist.npz"
    parts = {}
    for part, count in (("train", 60), ("test", 20)):
        images = rng.integers(0, 256, (count, 28, 28), np.uint8)
        images[:, 0, 0] = np.arange(count)
        parts |= {f"x_{part}": images, f"y_{part}": np.repeat([3, 7], count // 2).astype(np.uint8)}
    np.savez(path, **parts)
    return path


def test_mnist_comes_from_its_file_in_mixed_order(mnist):
    digits = load_digits(mnist, train=40, test=15)
    assert (digits.source, digits.names) == ("MNIST", ("3", "7"))
    assert digits.train_images.shape == (40, 28, 28, 1)
    assert digits.test_images.shape == (15, 28, 28, 1)
    numbers = digits.train_images[:, 0, 0, 0]
    assert len(set(numbers)) == 40
    np.testing.assert_array_equal(digits.train_labels, numbers >= 30)
    assert 10 < digits.train_labels.sum() < 30  # both classes, though the file is sorted
    with np.load(mnist) as file:
        np.testing.assert_array_equal(digits.train_images[..., 0], file["x_train"][numbers])
    np.testing.assert_array_equal(load_digits(mnist, train=40).train_images, digits.train_images)


def test_without_a_file_scikit_learns_digits_serve():
    digits, original = load_digits(), sklearn_digits()
    assert digits.names == tuple("0123456789")
    assert "scikit-learn" in digits.source
    assert len(digits.train_labels) + len(digits.test_labels) == len(original.target) == 1797
    assert len(digits.test_labels) == 359
    small = {image[3:27:3, 3:27:3, 0].tobytes() for image in digits.train_images}
    assert not small & {image[3:27:3, 3:27:3, 0].tobytes() for image in digits.test_images}
    expected = {
        (np.round(image / 16 * 255).astype(np.uint8).tobytes(), label)
        for image, label in zip(original.images, original.target, strict=True)
    }
    for image, label in zip(digits.train_images[:50], digits.train_labels[:50], strict=True):
        assert (image[2:26:3, 2:26:3, 0].tobytes(), label) in expected
        assert not image[:2].any()
        np.testing.assert_array_equal(image[3:27:3, 4:28:3], image[2:26:3, 2:26:3])


def test_a_file_that_is_no_mnist_is_refused(tmp_path):
    text, other = tmp_path / "text.npz", tmp_path / "other.npz"
    text.write_text("hello")
    np.savez(other, x=np.zeros(3))
    for path in (tmp_path / "gone.npz", text, other):
        with pytest.raises(KerasfaceError, match=rf"mnist.npz .* Received: .*{path.name}"):
            load_digits(path)


def test_classes_can_be_picked():
    digits = load_digits(train=300)
    pair = digits.only((7, 2))
    assert pair.names == ("7", "2")
    np.testing.assert_array_equal(pair.train_images, digits.train_images[np.isin(digits.train_labels, (2, 7))])
    np.testing.assert_array_equal(pair.train_labels, digits.train_labels[np.isin(digits.train_labels, (2, 7))] == 2)
    assert len(pair.test_labels) == np.isin(digits.test_labels, (2, 7)).sum()


def test_a_long_tail_falls_geometrically():
    digits = load_digits()
    smallest = np.bincount(digits.train_labels).min()
    tailed = digits.long_tailed(8)
    sizes = np.bincount(tailed.train_labels)
    np.testing.assert_allclose(sizes, smallest * 8.0 ** (-np.arange(10) / 9), atol=0.51)
    np.testing.assert_array_equal(tailed.test_images, digits.test_images)
    for image, label in zip(tailed.train_images[:20], tailed.train_labels[:20], strict=True):
        at = np.flatnonzero((digits.train_images == image).all(axis=(1, 2, 3)))
        assert label in digits.train_labels[at]
