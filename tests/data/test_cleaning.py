"""Cleaning: each kind of dirt is found, judged as documented, and no photo is touched."""

import io
import json

import numpy as np
import pytest
from PIL import Image

from kerasface.data import FaceSource, clean, open_faces, pack_faces, read_folder, read_list, write_list
from kerasface.errors import KerasfaceError
from tests.data.conftest import LATIN_1, png

ANN, BOB, CID, DAN = "ann", "bob", "cid", "dan"
PHOTOS = {
    (ANN, "1.png"): png((200, 0, 0)),
    (ANN, "2.png"): png((0, 200, 0)),
    (ANN, "3.png"): png((200, 0, 0)),  # the same bytes as 1
    (ANN, "4.png"): png((201, 1, 0)),  # nearly 1
    (ANN, "5.png"): png((202, 3, 0)),  # nearly 1, and 4
    (BOB, "1.png"): png((0, 0, 200)),
    (BOB, "2.png"): png((0, 202, 2)),  # nearly ann's 2
    (BOB, "3.png"): b"no image",
    (CID, "1.png"): png((50, 50, 0)),
    (CID, "2.png"): png((90, 0, 90)),  # dan's as well
    (CID, "3.png"): png((0, 90, 90)),
    (DAN, "1.png"): png((90, 0, 90)),
    (DAN, "2.png"): png((9, 90, 10)),
}


@pytest.fixture(scope="module")
def dirty(tmp_path_factory):
    root = tmp_path_factory.mktemp("dirty")
    for (person, name), content in PHOTOS.items():
        (root / person).mkdir(exist_ok=True)
        (root / person / name).write_bytes(content)
    return root


def test_photos_of_another_size_than_most_are_left_out(tmp_path):
    for number, size in enumerate([(8, 6)] * 3 + [(6, 8), (60, 80)]):
        for person in (ANN, BOB):
            (tmp_path / person).mkdir(exist_ok=True)
            shade = 9 * number + (person == BOB)
            Image.new("RGB", size, (shade, 0, 0)).save(tmp_path / person / f"{number}.png")
    faces = read_folder(tmp_path)
    kept, report = clean(faces)
    assert keys(faces, kept) == {(person, f"{number}.png") for person in (ANN, BOB) for number in range(3)}
    found = {(*photo.split("/")[-2:], size) for photo, size in report.odd_sizes}
    assert found == {(person, *odd) for person in (ANN, BOB) for odd in (("3.png", "8x6"), ("4.png", "80x60"))}
    (tmp_path / ANN / "0.png").unlink()
    (tmp_path / BOB / "0.png").unlink()
    kept, report = clean(read_folder(tmp_path))
    assert (len(kept), report.odd_sizes) == (8, ())  # a half is not most


def mean_color(images):
    return images.mean(axis=(1, 2)).astype(np.float32)


def keys(faces, rows):
    return {tuple(str(faces.photos[row]).split("/")[-2:]) for row in rows}


def short(photos):
    return tuple("/".join(photo.split("/")[-2:]) for photo in photos)


def test_bytes_alone(dirty):
    faces = read_folder(dirty)
    kept, report = clean(faces)
    gone = {(ANN, "3.png"), (BOB, "3.png"), (CID, "2.png"), (DAN, "1.png")}
    assert keys(faces, kept) == set(PHOTOS) - gone
    assert (report.images, report.people, report.kept_images, report.kept_people) == (13, 4, 9, 4)
    ((photo, reason),) = report.unreadable
    assert photo.endswith("bob/3.png")
    assert "not an image" in reason
    assert [short(photos) for photos in report.duplicates] == [("ann/1.png", "ann/3.png")]
    ((photos, people),) = report.shared
    assert (short(photos), people) == (("cid/2.png", "dan/1.png"), (CID, DAN))
    assert (report.near_duplicates, report.suspects, report.small, report.cosine) == ((), (), (), None)


def test_a_set_of_which_nothing_can_be_read_is_reported(tmp_path):
    for person in (ANN, BOB):
        (tmp_path / person).mkdir()
        (tmp_path / person / "1.jpg").write_bytes(b"no image")
    kept, report = clean(read_folder(tmp_path), embed=mean_color, cosine=0.9)
    assert len(kept) == 0
    assert short(photo for photo, _ in report.unreadable) == ("ann/1.jpg", "bob/1.jpg")


def test_people_left_with_too_few_go(dirty):
    faces = read_folder(dirty)
    kept, report = clean(faces, min_images=2)
    assert report.small == ((DAN, 1),)
    assert {person for person, _ in keys(faces, kept)} == {ANN, BOB, CID}
    assert report.kept_people == 3
    everyone, report = clean(faces, min_images=4)
    assert report.small == ((ANN, 4), (BOB, 2), (CID, 2), (DAN, 1))[1:]
    assert {person for person, _ in keys(faces, everyone)} == {ANN}


def test_near_duplicates_go_and_doubtful_labels_are_told(dirty, monkeypatch):
    from kerasface.data import cleaning

    # Blocks and batches smaller than the set, so that pairs lie across them.
    monkeypatch.setattr(cleaning, "_BLOCK", 4)
    monkeypatch.setattr(cleaning, "_BATCH", 3)
    faces, counted = read_folder(dirty), []
    kept, report = clean(faces, embed=mean_color, cosine=0.9998, progress=lambda *count: counted.append(count))
    assert counted[-1] == (13, 13)
    gone = {(ANN, "3.png"), (ANN, "4.png"), (ANN, "5.png"), (BOB, "3.png"), (CID, "2.png"), (DAN, "1.png")}
    assert keys(faces, kept) == set(PHOTOS) - gone

    colors = {
        key: np.asarray(Image.open(io.BytesIO(content))).mean((0, 1))
        for key, content in PHOTOS.items()
        if content[:1] != b"n"
    }
    unit = {key: color / np.linalg.norm(color) for key, color in colors.items()}
    near = [(*short((one, other)), cosine) for one, other, cosine in report.near_duplicates]
    assert [(one, other) for one, other, _ in near] == [("ann/1.png", "ann/4.png"), ("ann/1.png", "ann/5.png")]
    for one, other, cosine in near:
        assert cosine == pytest.approx(unit[tuple(one.split("/"))] @ unit[tuple(other.split("/"))], abs=1e-5)
    ((one, name, other, other_name, cosine),) = report.suspects
    assert (*short((one,)), name, *short((other,)), other_name) == ("ann/2.png", ANN, "bob/2.png", BOB)
    assert cosine == pytest.approx(unit[ANN, "2.png"] @ unit[BOB, "2.png"], abs=1e-5)


def test_suspects_are_pairs_of_what_was_kept(tmp_path):
    colors = {
        "ann": [(200, 0, 0), (0, 200, 0), (0, 200, 1)],  # 3 goes, nearly 2
        "bob": [(200, 1, 0), (200, 2, 0), (0, 0, 200)],  # 1 and 2 are nearly ann's 1; 2 goes, nearly 1
        "cid": [(0, 200, 2)],  # nearly ann's 2 and 3, and alone
    }
    for person, own in colors.items():
        (tmp_path / person).mkdir()
        for number, color in enumerate(own, start=1):
            (tmp_path / person / f"{number}.png").write_bytes(png(color))
    faces = read_folder(tmp_path)
    kept, report = clean(faces, min_images=2, embed=mean_color, cosine=0.999)
    assert keys(faces, kept) == {("ann", "1.png"), ("ann", "2.png"), ("bob", "1.png"), ("bob", "3.png")}
    assert [short((one, other)) for one, _, other, _, _ in report.suspects] == [("ann/1.png", "bob/1.png")]


def test_every_pair_is_found_whatever_the_blocks(rng, monkeypatch):
    from kerasface.data import cleaning

    monkeypatch.setattr(cleaning, "_BLOCK", 7)
    embeddings = rng.normal(size=(30, 3)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    scores = embeddings @ embeddings.T
    expected = [(row, column) for row, column in np.argwhere(scores >= 0.9).tolist() if row < column]
    assert len(expected) > 10
    assert [pair[:2] for pair in cleaning._near_pairs(embeddings, 0.9)] == expected


def test_the_list_holds_what_was_kept_in_every_format(dirty, tmp_path):
    faces = read_folder(dirty)
    kept, _ = clean(faces)
    write_list(faces.take(kept), tmp_path / "keep.csv")
    expected = [faces.photos[row].read_bytes() for row in kept]
    assert [photo.read_bytes() for photo in read_list(tmp_path / "keep.csv").photos] == expected
    pack_faces(faces, tmp_path / "packed")
    packed = open_faces(tmp_path / "packed")
    kept, report = clean(packed)
    write_list(packed.take(kept), tmp_path / "keep_packed.csv")
    assert [photo.read_bytes() for photo in read_list(tmp_path / "keep_packed.csv").photos] == expected
    assert "photo of bob at byte" in report.unreadable[0][0]


def test_no_photo_is_touched_and_the_report_is_json(dirty):
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in dirty.rglob("*.png")}
    _, report = clean(read_folder(dirty), min_images=2, embed=mean_color, cosine=0.99)
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in dirty.rglob("*.png")} == before
    tree = json.loads(report.to_json())
    assert tree["kept_images"] == report.kept_images
    assert tree["small"] == [list(entry) for entry in report.small]


def test_what_cannot_be_cleaned_says_why(dirty):
    faces = read_folder(dirty)
    for options in ({"embed": mean_color}, {"cosine": 0.9}, {"embed": mean_color, "cosine": 0.0}):
        with pytest.raises(ValueError, match="go together"):
            clean(faces, **options)
    with pytest.raises(KerasfaceError, match=r"ann/1\.png to .*dan/2\.png can't be embedded"):
        clean(faces, embed=lambda images: np.zeros((len(images), 3)), cosine=0.9)
    looked_at = []
    latin = FaceSource.of_files(("a",), [0], [f"{LATIN_1}/1.png"])
    with pytest.raises(KerasfaceError, match=r"names in UTF-8. Received: 'Andr\\udce9/1.png'"):
        clean(latin, progress=lambda *count: looked_at.append(count))
    assert not looked_at
    with pytest.raises(KerasfaceError, match="known people"):
        clean(faces.with_photos(["x"]))
