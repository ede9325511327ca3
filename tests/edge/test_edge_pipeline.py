import numpy as np
import pytest
from PIL import Image

from kerasface.edge import Embedder, FaceDetector, FacePipeline
from kerasface.edge.align import crop
from kerasface.errors import KerasfaceError
from kerasface.spec import SPEC_KEY


@pytest.fixture(scope="module")
def pipeline(fetched_assets, model_files):
    return FacePipeline(Embedder.load(model_files["tflite"]))


@pytest.fixture(scope="module")
def two_people(hopper):
    canvas = np.full((600, 1024, 3), 90, np.uint8)
    canvas[:, :512] = hopper
    canvas[60:540, 560:970] = np.array(Image.fromarray(hopper).resize((410, 480)))
    return canvas


def test_faces_carry_crop_and_embedding(pipeline, block_model, two_people):
    faces = pipeline.faces(two_people)
    assert len(faces) == 2
    for found in faces:
        assert found.embedder_id == "a1b2"
        np.testing.assert_array_equal(found.crop, crop(two_people, found.face.points))
        np.testing.assert_allclose(found.embedding, block_model.reference(found.crop[None])[0], atol=2e-6)
    # The same portrait at two sizes: aligned, the crops agree.
    assert np.abs(faces[0].crop.astype(float) - faces[1].crop).mean() < 8


def test_the_face_of_a_photo_or_why_not(pipeline, hopper, two_people, rng):
    found = pipeline.face(hopper, "hopper.jpg")
    np.testing.assert_array_equal(found.embedding, pipeline.faces(hopper)[0].embedding)
    with pytest.raises(KerasfaceError, match=r"2 faces of similar size in two\.jpg"):
        pipeline.face(two_people, "two.jpg")
    assert pipeline.face(two_people, "two.jpg", largest=True).face.box[0] < 512
    noise = rng.integers(0, 256, (100, 100, 3), dtype=np.uint8)
    assert pipeline.faces(noise) == []
    tried = r"no face found in noise\.png \(2 scales, 4 rotations tried; best score 0\.\d\d"
    with pytest.raises(KerasfaceError, match=tried):
        pipeline.face(noise, "noise.png")


def test_a_detector_of_ones_own_is_used(model_files, fetched_assets, hopper):
    detector = FaceDetector(min_score=0.99)
    assert FacePipeline(Embedder.load(model_files["tflite"]), detector).faces(hopper) == []


def test_an_embedder_without_a_known_template_is_refused(tmp_path, make, bare_tflite, spec):
    path = tmp_path / "m.tflite"
    entry = spec.replace(template="none").to_json().encode()
    path.write_bytes(make.with_tflite_metadata(bare_tflite, {SPEC_KEY: entry}))
    with pytest.raises(KerasfaceError, match=r"arcface_112x112 \(112 high × 112 wide\).*Received: template 'none'"):
        FacePipeline(Embedder.load(path))


def test_a_check_of_ones_own_stands_between_finding_and_embedding(model_files, fetched_assets, hopper, two_people):
    asked, embedded = [], []

    def left_half(photo, face, crop):
        asked.append((photo, face, crop))
        return None if face.box[0] < 512 else "too far right"

    embedder = Embedder.load(model_files["tflite"])
    embed = embedder.embed
    embedder.embed = lambda crops: embedded.extend(crops) or embed(crops)
    pipeline = FacePipeline(embedder, check=left_half)
    (found,) = pipeline.faces(two_people)
    assert found.face.box[0] < 512
    np.testing.assert_array_equal(found.embedding, FacePipeline(embedder).faces(two_people)[0].embedding)
    assert [photo is two_people for photo, _, _ in asked] == [True, True]
    np.testing.assert_array_equal(asked[0][2], crop(two_people, asked[0][1].points))
    right = np.roll(two_people, 512, axis=1)[:, 460:]
    before = len(embedded)
    refuse = FacePipeline(embedder, check=lambda *_: "a photo of a photo")
    with pytest.raises(KerasfaceError, match=r"face in r\.jpg was refused by the pipeline's check: a photo of a photo"):
        refuse.face(right, "r.jpg", largest=True)
    assert refuse.faces(right) == []
    assert len(embedded) == before
