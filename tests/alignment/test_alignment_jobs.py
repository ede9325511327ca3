import pytest

from kerasface.alignment.jobs import PhotoJob, list_jobs
from kerasface.errors import KerasfaceError


def tree(root, *names):
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"")
    return root


def test_lists_photos_of_every_depth_in_order(tmp_path):
    tree(tmp_path, "b/1.jpg", "b/c/2.PNG", "a.webp", "b/note.txt", ".git/3.jpg", "b/.4.jpg")
    assert list_jobs(tmp_path) == [PhotoJob("a.webp", "a"), PhotoJob("b/1.jpg", "b/1"), PhotoJob("b/c/2.PNG", "b/c/2")]


def test_linked_folders_are_followed(tmp_path):
    tree(tmp_path, "elsewhere/1.pgm", "photos/a/2.jpg")
    (tmp_path / "photos" / "b").symlink_to(tmp_path / "elsewhere", target_is_directory=True)
    (tmp_path / "photos" / "a" / "back").symlink_to(tmp_path / "photos", target_is_directory=True)
    assert [job.photo for job in list_jobs(tmp_path / "photos")] == ["a/2.jpg", "b/1.pgm"]


def test_crops_never_share_a_name(tmp_path):
    tree(tmp_path, "a/1.jpg", "a/1.png", "a/2.png", "a/1.png.gif", "b/1.jpg", "B.x/1.jpg", "a/v.1.jpg")
    stems = {job.photo: job.stem for job in list_jobs(tmp_path)}
    assert stems == {
        "a/1.jpg": "a/1.jpg", "a/1.png": "a/1.png", "a/1.png.gif": "a/1.png.gif", "a/2.png": "a/2",
        "b/1.jpg": "b/1", "B.x/1.jpg": "B.x/1", "a/v.1.jpg": "a/v.1",
    }  # fmt: skip


def test_case_alone_tells_no_crops_apart(tmp_path):
    tree(tmp_path, "a/X.jpg", "a/x.png")
    assert len({job.stem.casefold() for job in list_jobs(tmp_path)}) == 2


def test_faces_from_elsewhere_go_with_their_photo(tmp_path):
    tree(tmp_path, "a/1.jpg", "a/2.jpg")
    assert [job.faces for job in list_jobs(tmp_path, {"a/1.jpg": ["face"]})] == [("face",), ()]
    assert [job.faces for job in list_jobs(tmp_path)] == [None, None]


def test_refusals(tmp_path):
    with pytest.raises(KerasfaceError, match="no folder"):
        list_jobs(tmp_path / "gone")
    tree(tmp_path, "a/note.txt")
    with pytest.raises(KerasfaceError, match="holds no photos: expected .jpg, .*Received: 1 others.$"):
        list_jobs(tmp_path)
    tree(tmp_path, "a/IMG_1.HEIC", "b/2.heic", "b/3.nef")
    with pytest.raises(KerasfaceError, match="Received: 4 others. .heic, .nef photos aren't read: save them as JPEG"):
        list_jobs(tmp_path)
