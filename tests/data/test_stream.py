"""The stream of batches: every image once an epoch, the same bytes wherever it starts, and files that it refuses."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import ExifTags, Image

from kerasface.data import Augmentation, batches, check_files, read_folder
from kerasface.edge import load_image
from kerasface.errors import KerasfaceError
from tests.data.conftest import HEIGHT, WIDTH

SIZE = (HEIGHT, WIDTH)
COUNT, BATCH = 14, 4
EPOCH = COUNT // 2  # two epochs of 14 images are seven batches of 4


@pytest.fixture(scope="module")
def faces(faces_root):
    return read_folder(faces_root)


def read(faces, last_step, **options):
    stream = batches(faces, **{"batch_size": BATCH, "seed": 5, "size": SIZE, "last_step": last_step, **options})
    images, labels = zip(*((image.numpy(), label.numpy()) for image, label in stream), strict=True)
    return np.stack(images), np.stack(labels)


def numbers(images):
    """Which images they are: their red channel says it."""
    return (images[..., 0, 0, 0] / 10).astype(int).ravel()


def test_gives_the_files_pixels_and_labels(faces):
    images, labels = read(faces, EPOCH)
    assert images.shape == (EPOCH, BATCH, *SIZE, 3)
    assert (images.dtype, labels.dtype) == (np.uint8, np.int32)
    rows = numbers(images)
    expected = np.stack([np.asarray(Image.open(str(faces.photos[row]))) for row in rows])
    np.testing.assert_array_equal(images.reshape(-1, *SIZE, 3), expected)
    np.testing.assert_array_equal(labels.ravel(), faces.labels[rows])


def test_every_image_comes_exactly_once_an_epoch(faces):
    rows = numbers(read(faces, 3 * EPOCH)[0]).reshape(6, COUNT)
    np.testing.assert_array_equal(np.sort(rows, axis=1), np.tile(np.arange(COUNT), (6, 1)))


def test_a_jpegs_pixels_are_the_devices(tmp_path, rng):
    (tmp_path / "a").mkdir()
    for number in range(4):
        smooth = rng.integers(0, 256, (HEIGHT // 2, WIDTH // 2, 3), dtype=np.uint8).repeat(2, 0).repeat(2, 1)
        Image.fromarray(smooth).save(tmp_path / "a" / f"{number}.jpg", quality=80)
    Image.fromarray(smooth).save(tmp_path / "a" / "4.bmp")
    # As phones write them: turned by what stands beside the pixels.
    for name, orientation in (("5.jpg", 6), ("6.png", 3), ("7.jpg", 1)):
        exif = Image.Exif()
        exif[ExifTags.Base.Orientation] = orientation
        Image.fromarray(np.rot90(smooth) if orientation == 6 else smooth).save(tmp_path / "a" / name, exif=exif)
    faces = read_folder(tmp_path)
    images, _ = read(faces, 1, batch_size=8)
    expected = [load_image(photo).tobytes() for photo in faces.photos]
    assert sorted(image.tobytes() for image in images[0]) == sorted(expected)
    assert check_files(faces, size=SIZE) is None


def test_augmented_images_are_rounded_bytes(faces):
    plain, _ = read(faces, 1)
    images, _ = read(faces, 1, augmentation=Augmentation())
    assert images.dtype == np.uint8
    np.testing.assert_array_equal(images, plain)
    augmentation = Augmentation(contrast=0.5, brightness=0.1)
    images, _ = read(faces, 1, augmentation=augmentation)
    for place, (image, before) in enumerate(zip(images[0], plain[0], strict=True)):
        exact = augmentation(tf.cast(before, tf.float32), seed=tf.constant([5, place], tf.int64))
        np.testing.assert_array_equal(image, np.rint(exact))


def test_order_differs_between_epochs_and_seeds(faces):
    orders = [tuple(row) for row in numbers(read(faces, 3 * EPOCH)[0]).reshape(6, COUNT)]
    orders += [tuple(row) for row in numbers(read(faces, 3 * EPOCH, seed=6)[0]).reshape(6, COUNT)]
    assert len({*orders, tuple(range(COUNT))}) == 13


def test_starts_anywhere_with_the_same_bytes(faces):
    augmentation = Augmentation(mirror=0.5, shift=0.1, rotation=10, zoom=0.1, brightness=0.2, low_resolution=0.5)
    images, labels = read(faces, 9, augmentation=augmentation)
    for first_step in (1, 4, 8):  # within an epoch, across its end, in the last batch
        part_images, part_labels = read(faces, 9, augmentation=augmentation, first_step=first_step)
        np.testing.assert_array_equal(part_images, images[first_step:])
        np.testing.assert_array_equal(part_labels, labels[first_step:])


def test_processes_share_every_batch_in_its_order(faces):
    augmentation = Augmentation(shift=0.1, brightness=0.2)
    images, labels = read(faces, 9, augmentation=augmentation, first_step=2)
    # Two processes with two replicas each: one face a replica, a process's replicas one after the other.
    options = {"augmentation": augmentation, "first_step": 2, "replicas": 4, "workers": 2}
    parts = [read(faces, 9, worker=worker, **options) for worker in (0, 1)]
    shape = (2, len(images), BATCH // 2)
    parts = [np.stack(each).reshape(*shape, *each[0].shape[2:]) for each in zip(*parts, strict=True)]
    for whole, part in zip((images, labels), parts, strict=True):
        np.testing.assert_array_equal(np.concatenate(part, axis=1), whole)


def test_augmentation_differs_from_epoch_to_epoch(faces):
    images, _ = read(faces, EPOCH, augmentation=Augmentation(brightness=0.5))
    plain, _ = read(faces, EPOCH)
    rows = numbers(plain)
    first, second = (images.reshape(-1, *SIZE, 3)[np.flatnonzero(rows == 7)[visit]] for visit in (0, 1))
    assert (first != second).any()


def test_one_image_makes_a_stream(faces):
    assert (numbers(read(faces.take([0]), 2)[0]) == 0).all()


@pytest.fixture
def spoilt(faces_root, tmp_path):
    """A copy of the folder, and the path of one of its images."""
    shutil.copytree(faces_root, tmp_path / "copy")
    path = tmp_path / "copy" / "person_0002" / "00006.png"
    assert path.is_file()
    return read_folder(tmp_path / "copy"), path


def test_a_face_of_another_size_is_named(spoilt):
    faces, path = spoilt
    Image.new("RGB", (HEIGHT, WIDTH)).save(path)
    with pytest.raises(
        tf.errors.InvalidArgumentError, match=r"\[12,16,3\] is not compatible with expected shape \[16,12,3\]"
    ):
        read(faces, EPOCH)
    with pytest.raises(KerasfaceError, match=r"person_0002/00006\.png.*16x12 pixels.*Received: 12x16"):
        check_files(faces, size=SIZE)


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "No such file"),
        (lambda path: path.write_bytes(b""), r"is empty \(0 bytes\): delete it"),
        (lambda path: path.write_bytes(b"hello"), "Unknown image file format"),
        (lambda path: path.write_bytes(path.read_bytes()[:-200]), "Invalid PNG data"),
        (lambda path: (Image.effect_noise((WIDTH, HEIGHT), 90).save(path, "JPEG"), cut(path)), "Invalid JPEG data"),
        # A BMP of 16 million pixels a row, by its header.
        (lambda path: (Image.new("RGB", (WIDTH, HEIGHT)).save(path, "BMP"), overwrite(path, 21)), "BMP"),
    ],
)
def test_a_damaged_file_is_found_and_named(spoilt, damage, message):
    faces, path = spoilt
    damage(path)
    with pytest.raises(tf.errors.OpError):
        read(faces, EPOCH)
    with pytest.raises(KerasfaceError, match=rf"person_0002/00006\.png[^{{]*{message}"):
        check_files(faces, size=SIZE)


def cut(path):
    path.write_bytes(path.read_bytes()[:-30])


def overwrite(path, place):
    content = path.read_bytes()
    path.write_bytes(content[:place] + b"\1" + content[place + 1 :])


def test_gray_files_become_rgb(spoilt):
    faces, path = spoilt
    Image.new("L", (WIDTH, HEIGHT), 60).save(path)
    images, _ = read(faces, EPOCH)
    gray = images.reshape(-1, *SIZE, 3)[numbers(images) == 6]
    assert len(gray) == 2
    np.testing.assert_array_equal(gray, 60.0)


def test_whole_files_pass(faces):
    assert check_files(faces, size=SIZE) is None
    assert {Path(path).suffix for path in faces.files} == {".png"}
