"""Class folders: which files it lists, in which order, and what it says of a folder that is none."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasface.data import list_photos, open_faces, read_folder, write_class_folder
from kerasface.data.folder import photos_passed_over
from kerasface.errors import KerasfaceError


def touch(root, *names):
    for name in names:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def relative(faces, root):
    return [Path(path).relative_to(root).as_posix() for path in faces.files]


def test_lists_people_and_images_by_name_whatever_the_disk_order(tmp_path):
    touch(tmp_path, "b/2.png", "b/10.JPG", "a/z.jpeg", "B/1.bmp", "a/y.jpg")
    faces = read_folder(tmp_path)
    assert faces.names == ("B", "a", "b")
    assert relative(faces, tmp_path) == ["B/1.bmp", "a/y.jpg", "a/z.jpeg", "b/10.JPG", "b/2.png"]
    np.testing.assert_array_equal(faces.labels, [0, 1, 1, 2, 2])
    assert faces.labels.dtype == np.int32


def test_leaves_out_what_is_no_face(tmp_path):
    touch(tmp_path, "a/1.png", "a/notes.txt", "a/._1.png", ".cache/1.png", "readme.jpg")
    (tmp_path / "nobody").mkdir()
    faces = read_folder(tmp_path)
    assert faces.names == ("a",)
    assert relative(faces, tmp_path) == ["a/1.png"]


def test_a_missing_folder_is_named(tmp_path):
    with pytest.raises(KerasfaceError, match="no folder .*elsewhere"):
        read_folder(tmp_path / "elsewhere")


def test_a_file_is_no_folder(tmp_path):
    touch(tmp_path, "photo.jpg")
    with pytest.raises(KerasfaceError, match=r"no folder .*photo\.jpg"):
        read_folder(tmp_path / "photo.jpg")


@pytest.mark.parametrize("list_them", [read_folder, list_photos, photos_passed_over])
def test_a_folder_that_may_not_be_read_is_named(list_them, tmp_path, monkeypatch):
    touch(tmp_path, "ann/1.png", "lost+found/1.png")

    def forbidden(real):  # not by its permissions, which don't hold for root
        def listed(folder):
            if Path(folder).name == "lost+found":
                raise PermissionError(13, "Permission denied", str(Path(folder)))
            return real(folder)

        return listed

    monkeypatch.setattr(Path, "iterdir", forbidden(Path.iterdir))
    monkeypatch.setattr("os.scandir", forbidden(os.scandir))
    with pytest.raises(KerasfaceError, match=r"can't look into .*lost\+found: Permission denied. Let yourself read it"):
        list_them(tmp_path)


@pytest.mark.parametrize("names", [(), ("photo.jpg",), ("year/person/photo.jpg",)])
def test_a_folder_of_the_wrong_depth_says_so(tmp_path, names):
    touch(tmp_path, *names)
    with pytest.raises(KerasfaceError, match="holds no faces.* above or below"):
        read_folder(tmp_path)


def test_a_folder_of_records_is_told_to_name_the_file(tmp_path):
    touch(tmp_path, "train.rec", "train.idx", "property", "lfw.bin")
    with pytest.raises(KerasfaceError, match=r"holds no faces.* To read train\.rec name that file"):
        read_folder(tmp_path)


def link(path, target):
    path.symlink_to(target, target_is_directory=True)


def test_a_tree_is_listed_whatever_its_folders_mean(tmp_path):
    touch(tmp_path, "b.PNG", "a/2.jpg", "a/10.jpeg", "a/deep/er/1.bmp", "a/notes.txt", ".trash/1.jpg", "a/.t/1.jpg")
    (tmp_path / "a" / "album.jpg").mkdir()
    found = [path.relative_to(tmp_path).as_posix() for path in list_photos(tmp_path)]
    assert found == ["a/10.jpeg", "a/2.jpg", "a/deep/er/1.bmp", "b.PNG"]


def test_both_readers_follow_links_to_folders(tmp_path):
    touch(tmp_path, "elsewhere/1.png", "elsewhere/2.png", "people/a/1.png")
    link(tmp_path / "people" / "b", tmp_path / "elsewhere")
    expected = ["a/1.png", "b/1.png", "b/2.png"]
    root = tmp_path / "people"
    assert relative(read_folder(root), root) == expected
    assert [path.relative_to(root).as_posix() for path in list_photos(root)] == expected
    # The root itself may be a link.
    link(tmp_path / "linked", root)
    assert [path.relative_to(tmp_path / "linked").as_posix() for path in list_photos(tmp_path / "linked")] == expected


@pytest.mark.parametrize(
    ("links", "expected"),
    [
        ({"a/up": "."}, ["a/1.png", "b/2.png"]),
        ({"a/to_b": "b", "b/to_a": "a"}, ["a/1.png", "a/to_b/2.png", "b/2.png", "b/to_a/1.png"]),
    ],
)
def test_links_back_to_a_folder_above_end_there(tmp_path, links, expected):
    touch(tmp_path, "a/1.png", "b/2.png")
    for path, target in links.items():
        link(tmp_path / path, tmp_path / target)
    assert [path.relative_to(tmp_path).as_posix() for path in list_photos(tmp_path)] == expected


def test_a_tree_without_photos_says_so(tmp_path):
    touch(tmp_path, "a/notes.txt")
    with pytest.raises(KerasfaceError, match=r"holds no photos: expected \.jpg"):
        list_photos(tmp_path)
    with pytest.raises(KerasfaceError, match="no folder .*elsewhere"):
        list_photos(tmp_path / "elsewhere")


def test_photos_that_are_passed_over_are_listed(tmp_path):
    touch(tmp_path, "Ann/1.png", "Ann/2.HEIC", "Ann/.3.HEIC", "Ann/old/1.jpg", "Ann/old/far/2.PNG", "Ann/old/notes.txt")
    touch(tmp_path, "Bob/1.webp", "group.jpg", ".group.jpg", "align.jsonl", ".thumbnails/1.png", "Ann/.old/1.png")
    unread, misplaced = photos_passed_over(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in unread] == ["Ann/2.HEIC", "Bob/1.webp"]
    assert [path.relative_to(tmp_path).as_posix() for path in misplaced] == [
        "Ann/old/1.jpg", "Ann/old/far/2.PNG", "group.jpg",
    ]  # fmt: skip
    assert photos_passed_over(tmp_path / "train.rec") == ([], [])


def test_people_with_too_few_images_are_named(tmp_path):
    touch(tmp_path, *(f"lonely{number}/1.png" for number in range(7)), "pair/1.png", "pair/2.png")
    assert len(read_folder(tmp_path).names) == 8
    with pytest.raises(
        KerasfaceError,
        match=r"7 of 8 people .* fewer than 2 images: lonely0, .*lonely4, …\. .*clean --min-images 2`.*data.min_images",
    ):
        open_faces(tmp_path, min_images=2)


def test_select_renumbers_from_zero(faces_root):
    faces = read_folder(faces_root)
    part = faces.select([3, 1])
    assert part.names == ("person_0001", "person_0003")
    np.testing.assert_array_equal(part.labels, [0] * 3 + [1] * 5)
    assert part.labels.dtype == np.int32
    for path, label in zip(map(str, part.photos), part.labels, strict=True):
        assert Path(path).parent.name == part.names[label]


@pytest.mark.parametrize("labels", [[0, 4], [-1]])
def test_select_refuses_labels_that_nobody_has(faces_root, labels):
    with pytest.raises(ValueError, match=r"labels lie in \[0, 4\)"):
        read_folder(faces_root).select(labels)


def test_written_images_come_back_exactly(tmp_path, rng):
    images = rng.integers(0, 256, (5, 6, 4, 3), dtype=np.uint8)
    labels = np.array([7, 2, 7, 2, 2])
    write_class_folder(images, labels, tmp_path / "new" / "folder")
    faces = read_folder(tmp_path / "new" / "folder")
    assert faces.names == ("person_0002", "person_0007")
    found = np.stack([np.asarray(Image.open(path)) for path in faces.files])
    np.testing.assert_array_equal(found, images[[1, 3, 4, 0, 2]])
