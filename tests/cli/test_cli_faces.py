"""verify, enroll and identify on a real portrait, with the real detector."""

import contextlib
import json
import stat

import numpy as np
import pytest
from PIL import Image

from kerasface.edge import FaceDetector, load_image

pytestmark = pytest.mark.usefixtures("fetched_assets")


@pytest.fixture
def model(model_files):
    return model_files["tflite"]


@pytest.fixture
def landscape(tmp_path):
    path = tmp_path / "beach.png"
    Image.fromarray(np.tile(np.linspace(0, 255, 200).astype(np.uint8)[:, None, None], (1, 300, 3))).save(path)
    return path


@pytest.fixture
def two_faces(tmp_path, hopper):
    path = tmp_path / "two.png"
    Image.fromarray(np.concatenate([hopper, hopper[:, ::-1]], axis=1)).save(path)
    return path


def test_verify_answers_with_its_exit_code(kerasface, model, hopper_path, tmp_path, hopper):
    code, out, _ = kerasface("verify", model, hopper_path, hopper_path)
    assert code == 0
    assert "same person  cosine 1.0000, threshold 0.5000 (FAR 0.001)" in out
    inverted = tmp_path / "other.png"
    Image.fromarray(hopper[::1, ::-1] // 3).save(inverted)
    code, out, _ = kerasface("verify", model, hopper_path, inverted, "--threshold", "0.999")
    assert code == 1
    assert "different people" in out
    assert out.rstrip().endswith("threshold 0.9990")  # the user's own: no rate is known of it


def test_the_largest_of_several_faces_is_taken_when_asked(kerasface, model, two_faces, hopper_path, tmp_path):
    code, out, err = kerasface("verify", model, two_faces, hopper_path, "--largest")
    assert code in (0, 1), err
    assert "cosine" in out
    enroll = ("enroll", model, two_faces, "--name", "Grace", "--gallery", tmp_path / "team.kfg")
    code, _, err = kerasface(*enroll)
    assert code == 2
    assert "--largest" in err
    code, out, err = kerasface(*enroll, "--largest")
    assert code == 0, err
    assert "holds 1 person" in out


def test_faces_of_hard_photos_are_found_by_a_lower_score(kerasface, model, hopper_path, hopper, tmp_path):
    (face,) = FaceDetector().detect(hopper)
    assert 0.3 < face.score < 0.99
    code, _, err = kerasface("verify", model, hopper_path, hopper_path, "--min-score", "0.99")
    assert code == 2
    assert "no face found in" in err
    code, _, err = kerasface("verify", model, hopper_path, hopper_path, "--min-score", "0.3")
    assert code == 0, err


def test_verify_takes_aligned_crops(kerasface, model, tmp_path, hopper):
    crop = tmp_path / "crop.png"
    Image.fromarray(hopper).resize((112, 112)).save(crop)
    code, out, _ = kerasface("verify", model, crop, crop, "--no-align")
    assert code == 0
    assert "cosine 1.0000" in out


def test_errors_say_what_to_do(kerasface, model, hopper_path, landscape, two_faces, tmp_path):
    truncated = tmp_path / "half.jpg"
    truncated.write_bytes(hopper_path.read_bytes()[:20_000])
    not_a_model = tmp_path / "model.tflite"
    not_a_model.write_text("hello")
    cases = {
        ("verify", model, tmp_path / "gone.jpg", hopper_path): "gone.jpg",
        ("verify", model, truncated, hopper_path): "truncated",
        ("verify", model, landscape, hopper_path): "no face found in",
        ("verify", model, two_faces, hopper_path): "--largest",
        ("verify", not_a_model, hopper_path, hopper_path): "model.tflite",
        ("verify", tmp_path / "none.tflite", hopper_path, hopper_path): "kerasface export",
        ("verify", "mistyped.tflite", hopper_path, hopper_path): "no model file mistyped.tflite. Is the path right",
        ("verify", model, hopper_path, hopper_path, "--no-align"): "Leave --no-align out",
        ("identify", model, hopper_path, "--gallery", tmp_path / "none.kfg"): "none.kfg",
        ("enroll", model, hopper_path, "--gallery", tmp_path / "g.kfg"): "--name",
        ("enroll", model, tmp_path / "nobody", "--gallery", tmp_path / "g.kfg"): "nobody",
        ("enroll", model, landscape, "--name", "Sea", "--gallery", tmp_path / "g.kfg"): "no face found",
    }
    for arguments, words in cases.items():
        code, _, err = kerasface(*arguments)
        assert code == 2, arguments
        assert err.startswith("error: ") or "\nerror: " in err, arguments
        assert words in err, (arguments, err)
        assert "Traceback" not in err
    assert not (tmp_path / "g.kfg").exists()


def test_enroll_a_folder_and_identify(kerasface, model, hopper_path, landscape, two_faces, tmp_path):
    person = tmp_path / "people" / "Grace"
    person.mkdir(parents=True)
    (person / "1.jpg").write_bytes(hopper_path.read_bytes())
    (person / "2.png").write_bytes(landscape.read_bytes())
    gallery = tmp_path / "team.kfg"
    code, out, err = kerasface("enroll", model, tmp_path / "people", "--gallery", gallery)
    assert code == 0
    assert "holds 1 person; 1 photo left out" in out
    assert "left out" in err
    assert "2.png: no face found" in err
    code, out, _ = kerasface("identify", model, hopper_path, landscape, two_faces, "--gallery", gallery)
    assert code == 0
    rows = [line for line in out.splitlines() if ".jpg" in line or ".png" in line]
    assert "Grace" in rows[0]
    assert "1.0000" in rows[0]
    assert "no face found" in rows[1]
    assert len(rows) == 4  # both faces of the last photo
    (tmp_path / "broken.jpg").write_bytes(hopper_path.read_bytes()[:900])
    answers, photos = tmp_path / "answers.json", (tmp_path / "broken.jpg", hopper_path, landscape, two_faces)
    code, out, err = kerasface("identify", model, *photos, "--gallery", gallery, "--json", answers, "--ranks", 2)
    assert code == 2
    assert "1 of 4 photos could not be looked at" in err
    assert "truncated" in out
    assert "1.0000" in out
    assert stat.S_IMODE(answers.stat().st_mode) == 0o600
    broken, portrait, beach, pair = json.loads(answers.read_text())
    assert broken["photo"] == str(photos[0])
    assert "truncated" in broken["problem"]
    (face,) = portrait["faces"]
    (found,) = FaceDetector().detect_all(load_image(hopper_path))
    assert (face["name"], face["box"]) == ("Grace", found.box.tolist())
    assert face["cosine"] == pytest.approx(1)
    assert face["nearest"] == [{"name": "Grace", "cosine": face["cosine"]}]
    assert beach == {"photo": str(landscape), "faces": []}
    assert len(pair["faces"]) == 2
    code, out, _ = kerasface("identify", model, two_faces, "--gallery", gallery, "--threshold", "0.99999")
    assert "unknown" in out
    kerasface("identify", model, two_faces, "--gallery", gallery, "--threshold", "0.99999", "--json", answers)
    assert None in [face["name"] for face in json.loads(answers.read_text())[0]["faces"]]


def test_identify_takes_a_folder_for_its_photos(kerasface, model, hopper_path, landscape, tmp_path):
    gallery, folder, answers = tmp_path / "team.kfg", tmp_path / "albums" / "party", tmp_path / "answers.json"
    kerasface("enroll", model, hopper_path, "--name", "Grace", "--gallery", gallery)
    (folder / "deeper").mkdir(parents=True)
    (folder / "notes.txt").touch()
    code, _, err = kerasface("identify", model, folder, "--gallery", gallery)
    assert code == 2
    assert f"no photos in {folder}: expected .jpg, " in err
    for name, photo in {"2.png": landscape, "1.jpg": hopper_path, "deeper/3.jpg": hopper_path}.items():
        (folder / name).write_bytes(photo.read_bytes())
    code, _, err = kerasface("identify", model, folder.parent, "--gallery", gallery)
    assert code == 2
    assert f"no photos in {folder.parent} itself, and its sub-folders aren't looked into: name those." in err
    (folder / "3.HEIC").touch()
    code, out, err = kerasface("identify", model, folder, hopper_path, "--gallery", gallery, "--json", answers)
    assert code == 2
    assert "1 of 4 photos could not be looked at" in err
    assert out.splitlines()[-1] == str(answers)
    answered = json.loads(answers.read_text())
    assert [answer["photo"] for answer in answered] == [
        *(str(folder / name) for name in ("1.jpg", "2.png", "3.HEIC")), str(hopper_path)
    ]  # fmt: skip
    assert [face["name"] for face in answered[0]["faces"]] == ["Grace"]
    assert "problem" in answered[2]


def test_identify_shows_how_far_it_has_come(kerasface, model, hopper_path, landscape, tmp_path, monkeypatch):
    gallery, seen = tmp_path / "team.kfg", []
    kerasface("enroll", model, hopper_path, "--name", "Grace", "--gallery", gallery)
    monkeypatch.setattr(
        "kerasface.cli.gallery.progress_bar", lambda *_: contextlib.nullcontext(lambda *step: seen.append(step))
    )
    kerasface("identify", model, hopper_path, landscape, "--gallery", gallery)
    assert seen == [(0, 2), (1, 2)]


def test_in_an_empty_gallery_nobody_is_near(kerasface, model, hopper_path, tmp_path):
    gallery = tmp_path / "team.kfg"
    kerasface("enroll", model, hopper_path, "--name", "Grace", "--gallery", gallery)
    kerasface("gallery", "rm", gallery, "Grace")
    (tmp_path / "frames").mkdir()
    (tmp_path / "frames" / "1.jpg").write_bytes(hopper_path.read_bytes())
    code, out, err = kerasface("identify", model, hopper_path, "--gallery", gallery)
    assert code == 0
    assert "unknown │ –      │ 0.5000" in out
    answers = tmp_path / "answers.json"
    kerasface("identify", model, hopper_path, "--gallery", gallery, "--json", answers)
    (face,) = json.loads(answers.read_text())[0]["faces"]
    assert (face["name"], face["cosine"], face["nearest"]) == (None, None, [])
    assert f"{gallery} holds nobody yet: `kerasface enroll` adds people." in err
    _, out, err = kerasface("watch", model, tmp_path / "frames", "--gallery", gallery)
    assert "1.jpg: unknown, cosine –" in out
    assert "holds nobody yet" in err


def test_another_models_gallery_is_refused(kerasface, model, hopper_path, tmp_path, make_other_model):
    gallery = tmp_path / "team.kfg"
    kerasface("enroll", model, hopper_path, "--name", "Grace", "--gallery", gallery)
    code, _, err = kerasface("identify", make_other_model, hopper_path, "--gallery", gallery)
    assert code == 2
    assert "belongs to embedder a1b2" in err


@pytest.fixture
def make_other_model(tmp_path, bare_tflite, spec):
    from kerasface.spec import SPEC_KEY
    from tests.device_files import with_tflite_metadata

    path = tmp_path / "other.tflite"
    path.write_bytes(with_tflite_metadata(bare_tflite, {SPEC_KEY: spec.replace(embedder_id="ffff").to_json().encode()}))
    return path
