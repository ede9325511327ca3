import numpy as np
import pytest
from PIL import Image

from kerasface.edge import (
    AlignedCrops,
    Embedder,
    FacePipeline,
    Gallery,
    enroll_photos,
    photos_by_person,
    photos_left_out,
)
from kerasface.errors import KerasfaceError


@pytest.fixture
def crops(tmp_path, rng):
    """people/Ann with two crops, people/Bob with one, people/nobody empty."""
    root = tmp_path / "people"
    for name, number in (("Ann", 2), ("Bob", 1), ("nobody", 0)):
        (root / name).mkdir(parents=True)
        for index in range(number):
            pixels = rng.integers(0, 256, (112, 112, 3), dtype=np.uint8)
            Image.fromarray(pixels).save(root / name / f"{index}.png")
    (root / "Ann" / "notes.txt").write_text("not a photo")
    (root / "Ann" / "._0.png").write_text("what macOS leaves beside a copied file")
    return root


@pytest.fixture
def pipeline(model_files):
    embedder = Embedder.load(model_files["tflite"])
    return FacePipeline(embedder, AlignedCrops(embedder.spec))


def test_photos_are_sorted_by_folder_or_by_name(crops):
    by_folder = photos_by_person([crops])
    assert {name: [path.name for path in paths] for name, paths in by_folder.items()} == {
        "Ann": ["0.png", "1.png"],
        "Bob": ["0.png"],
    }
    files = [crops / "Ann" / "1.png", crops / "Bob"]
    assert photos_by_person(files, name="Eve") == {"Eve": [crops / "Ann" / "1.png", crops / "Bob" / "0.png"]}


@pytest.mark.parametrize("name", ["", "  "])
def test_a_blank_name_is_refused_before_anything_is_embedded(crops, name):
    with pytest.raises(KerasfaceError, match=f"can't be blank. Received: '{name}'"):
        photos_by_person([crops / "Ann"], name=name)


def test_what_is_not_read_is_named_with_its_reason(crops):
    for file in ("Ann/2.HEIC", "Ann/old/3.png", "loose.jpg", "loose.dng", "notes.txt", "Deep/sub/4.png"):
        (crops / file).parent.mkdir(parents=True, exist_ok=True)
        (crops / file).touch()
    (crops / ".trash").mkdir()
    found = {path.relative_to(crops).as_posix(): reason for path, reason in photos_left_out([crops])}
    assert {name: reason.split()[-1] for name, reason in found.items()} == {
        "loose.jpg": "one",
        "loose.dng": "one",
        "Ann/2.HEIC": "PNG",
        "Ann/old": "into",
        "Deep/sub": "into",
        "nobody": "it",
    }
    assert found["Ann/2.HEIC"] == ".HEIC files aren't read: save it as JPEG or PNG"
    of_one = [crops / "Ann", crops / "Bob", crops / "loose.jpg"]
    assert [path for path, _ in photos_left_out(of_one, name="Ann")] == [
        crops / "Ann" / "2.HEIC",
        crops / "Ann" / "old",
    ]


def test_photos_of_nobody_are_errors(crops, tmp_path):
    with pytest.raises(KerasfaceError, match="no such photo or folder"):
        photos_by_person([tmp_path / "gone"])
    with pytest.raises(KerasfaceError, match="Give --name"):
        photos_by_person([crops / "Ann" / "0.png"])
    with pytest.raises(KerasfaceError, match="whose photos are these"):
        photos_by_person([crops / "Ann"])
    with pytest.raises(KerasfaceError, match="no photos in"):
        photos_by_person([crops / "nobody"], name="Ann")
    with pytest.raises(KerasfaceError, match="a sub-folder a person with them.$"):
        photos_by_person([crops / "nobody"])
    (crops / "nobody" / "1.HEIC").touch()
    with pytest.raises(KerasfaceError, match=r"\.heic photos aren't read: save them as JPEG"):
        photos_by_person([crops / "nobody"], name="Ann")


def test_enrolled_is_the_mean_of_a_persons_photos(crops, pipeline, block_model):
    gallery, seen = Gallery(pipeline.embedder.spec), []
    skipped = enroll_photos(gallery, pipeline, photos_by_person([crops]), progress=lambda *step: seen.append(step))
    assert skipped == []
    assert seen == [(1, 3), (2, 3), (3, 3)]
    assert gallery.names == ["Ann", "Bob"]
    assert gallery.count("Ann") == 2
    images = np.stack([np.array(Image.open(crops / "Ann" / f"{i}.png")) for i in range(2)])
    reference = block_model.reference(images)
    mean = reference.mean(0) / np.linalg.norm(reference.mean(0))
    score = gallery.identify(reference[0].astype(np.float32), threshold=-1.0).score
    assert score == pytest.approx(float(mean @ reference[0]), abs=1e-5)


def test_a_photo_that_cannot_be_used_is_left_out_with_its_reason(crops, pipeline):
    (crops / "Bob" / "0.png").write_bytes(b"broken")
    gallery = Gallery(pipeline.embedder.spec)
    ((path, reason),) = enroll_photos(gallery, pipeline, photos_by_person([crops]))
    assert path == crops / "Bob" / "0.png"
    assert "not an image" in reason
    assert gallery.names == ["Ann"]
    with pytest.raises(KerasfaceError, match="not one photo could be enrolled of 1"):
        enroll_photos(gallery, pipeline, {"Bob": [path]})


def test_an_aligned_crop_is_embedded_as_it_is(pipeline, block_model, rng):
    crop = rng.integers(0, 256, (112, 112, 3), dtype=np.uint8)
    face = pipeline.face(crop, "crop.png")
    np.testing.assert_array_equal(face.crop, crop)
    np.testing.assert_allclose(face.embedding, block_model.reference(crop[None])[0], atol=2e-6)
    with pytest.raises(KerasfaceError, match="has 112×112 pixels. Received: 90×80"):
        pipeline.faces(np.zeros((80, 90, 3), np.uint8))
