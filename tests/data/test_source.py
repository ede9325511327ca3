"""FaceSource: the same faces whatever they are kept in, and every way to make one out of another."""

import numpy as np
import pytest
from PIL import Image

from kerasface.data import (
    Augmentation,
    FaceSource,
    batches,
    check_files,
    open_faces,
    pack_faces,
    read_folder,
    write_record_file,
)
from kerasface.data.source import Photo, join
from kerasface.edge import load_image
from kerasface.errors import KerasfaceError
from tests.data.conftest import FORMATS, HEIGHT, LATIN_1, WIDTH


def contents(faces):
    return [photo.read_bytes() for photo in faces.photos]


@pytest.mark.parametrize(("write", "name"), [(pack_faces, "packed"), (write_record_file, "a.rec")])
def test_an_empty_photo_is_not_written(write, name, faces_root, tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    faces = FaceSource.of_files(("a",), [0, 0], [read_folder(faces_root).files[0], tmp_path / "empty.png"])
    with pytest.raises(KerasfaceError, match=r"empty\.png is empty .*: delete it, or .*`kerasface clean`"):
        write(faces, tmp_path / name)
    assert [path.name for path in tmp_path.iterdir()] == ["empty.png"]


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_holds_the_same_photos(kind, every_format, faces_root):
    faces, files = open_faces(every_format[kind]), sorted(faces_root.rglob("*.png"))
    assert contents(faces) == [path.read_bytes() for path in files]
    np.testing.assert_array_equal(faces.labels, np.repeat([0, 1, 2, 3], [2, 3, 4, 5]))
    assert faces.labels.dtype == np.int32
    people = tuple(f"person_{label:04d}" for label in range(4))
    assert faces.names == (("0", "1", "2", "3") if kind == "record" else people)
    np.testing.assert_array_equal(load_image(faces.photos[3]), np.asarray(Image.open(files[3])))


@pytest.mark.parametrize("kind", FORMATS)
def test_every_format_gives_the_same_stream(kind, every_format, faces_root):
    options = {"batch_size": 4, "seed": 5, "size": (HEIGHT, WIDTH), "first_step": 2, "last_step": 6}
    options["augmentation"] = Augmentation(mirror=0.5, brightness=0.2)
    faces = open_faces(every_format[kind])
    for (images, labels), (expected, truth) in zip(
        batches(faces, **options), batches(read_folder(faces_root), **options), strict=True
    ):
        np.testing.assert_array_equal(images, expected)
        np.testing.assert_array_equal(labels, truth)
    assert check_files(faces, size=(HEIGHT, WIDTH)) is None
    with pytest.raises(KerasfaceError, match=r"can't train on .*Received: 16x12"):
        check_files(faces, size=(HEIGHT, 11))


@pytest.mark.parametrize("kind", FORMATS)
def test_parts_and_sums_keep_photos_with_their_labels(kind, every_format, faces_root, tmp_path):
    faces = open_faces(every_format[kind])
    every = contents(faces)
    assert contents(faces.take([7, 0, 7])) == [every[7], every[0], every[7]]
    part = faces.select([3, 1])
    assert part.names == (faces.names[1], faces.names[3])
    assert contents(part) == every[2:5] + every[9:]
    np.testing.assert_array_equal(part.labels, [0] * 3 + [1] * 5)

    stranger = tmp_path / "stranger.png"
    stranger.write_bytes(b"stranger")
    more = part.with_photos([stranger])
    assert more.names == part.names
    assert contents(more) == [*contents(part), b"stranger"]
    np.testing.assert_array_equal(more.labels, [*part.labels, -1])
    both = join(read_folder(faces_root), part)
    assert contents(both) == every + contents(part)
    np.testing.assert_array_equal(both.labels, [*faces.labels, *(part.labels + 4)])


def test_photos_are_a_sequence_that_says_where_they_lie(every_format):
    faces = open_faces(every_format["packed"])
    assert len(faces.photos) == 14
    assert [photo.row for photo in faces.photos[-2:]] == [12, 13]
    assert isinstance(faces.photos[-1], Photo)
    with pytest.raises(IndexError):
        faces.photos[14]
    assert "shard_00002_of_00003.tfrecord, photo of person_0003 at byte" in str(faces.photos[-1])
    assert str(open_faces(every_format["folder"]).photos[0]).endswith("person_0000/00000.png")


@pytest.mark.parametrize("kind", FORMATS)
def test_fingerprints_tell_sets_apart(kind, every_format):
    faces = open_faces(every_format[kind])
    mark = faces.fingerprint()
    assert (mark["people"], mark["images"]) == (4, 14)
    assert open_faces(every_format[kind]).fingerprint() == mark
    others = [faces.take(range(13)), faces.take([1, 0, *range(2, 14)]), faces.select([0, 1, 2])]
    assert mark not in [other.fingerprint() for other in others]
    assert len({other.fingerprint()["listing"] for other in others}) == 3


def test_a_label_changes_the_fingerprint(every_format, tmp_path):
    (tmp_path / "a.csv").write_text("path,label\nx/1.png,x\nx/2.png,x\n")
    (tmp_path / "b.csv").write_text("path,label\nx/1.png,x\nx/2.png,y\n")
    first, second = (open_faces(tmp_path / name).fingerprint() for name in ("a.csv", "b.csv"))
    assert first["listing"] != second["listing"]


def test_names_that_are_not_utf_8_have_a_fingerprint():
    sources = [FaceSource.of_files((name,), [0], [f"faces/{name}/1.png"]) for name in (LATIN_1, "Andr\udce8", "André")]
    assert len({source.fingerprint()["listing"] for source in sources}) == 3


def test_a_file_that_shrank_is_named(every_format, tmp_path):
    shard = tmp_path / "copy.rec"
    shard.write_bytes(every_format["record"].read_bytes())
    shard.with_suffix(".idx").write_bytes(every_format["record"].with_suffix(".idx").read_bytes())
    faces = open_faces(shard)
    shard.write_bytes(shard.read_bytes()[:700])
    with pytest.raises(KerasfaceError, match=r"copy\.rec, photo of 3 at byte \d+ ends early"):
        faces.photos[13].read_bytes()
    shard.unlink()
    with pytest.raises(KerasfaceError, match=r"can't read .*copy\.rec.*No such file"):
        faces.photos[0].read_bytes()


def test_what_is_no_set_of_faces_is_named(tmp_path):
    (tmp_path / "faces.zip").write_bytes(b"PK")
    with pytest.raises(KerasfaceError, match=r"no folder .*faces\.zip.*\.rec, \.csv, \.parquet.*another kind"):
        open_faces(tmp_path / "faces.zip")
    with pytest.raises(KerasfaceError, match="no folder .*nowhere"):
        open_faces(tmp_path / "nowhere")


@pytest.mark.parametrize("kind", FORMATS)
def test_too_few_images_are_refused_in_every_format(kind, every_format):
    with pytest.raises(KerasfaceError, match=r"2 of 4 people .* fewer than 4 images"):
        open_faces(every_format[kind], min_images=4)
