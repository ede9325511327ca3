"""kerasface gallery, and the keys of enroll and identify."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasface.edge import Embedder, Gallery, RenewalKey, Secret
from kerasface.edge.galleries.sealing import SEALED_MAGIC


@pytest.fixture
def model(model_files):
    return model_files["tflite"]


@pytest.fixture
def people(tmp_path, rng):
    """Folders Ann (three crops) and Bob (one)."""
    root = tmp_path / "people"
    for name, count in (("Ann", 3), ("Bob", 1)):
        (root / name).mkdir(parents=True)
        for index in range(count):
            pixels = rng.integers(0, 256, (4, 4, 3), dtype=np.uint8).repeat(28, 0).repeat(28, 1)
            Image.fromarray(pixels).save(root / name / f"{index}.png")
    return root


@pytest.fixture
def keys(tmp_path, kerasface):
    for name in ("a.key", "b.key", "r.key", "s.key"):
        assert kerasface("gallery", "key", tmp_path / name)[0] == 0
    (tmp_path / "pass.txt").write_text("correct horse\n")
    return tmp_path


@pytest.fixture
def enrolled(kerasface, model, people, tmp_path):
    """Enrolls both people into a new gallery with further options."""

    def enroll(*options):
        path = tmp_path / "team.kfg"
        code, out, err = kerasface("enroll", model, people, "--no-align", "--gallery", path, *options)
        assert code == 0, err
        assert "holds 2 people; 0 photos left out" in out
        return path

    return enroll


def test_who_and_what_is_not_enrolled_is_told(kerasface, model, people, tmp_path):
    for file in ("Bob/1.heic", "loose.jpg", "Deep/sub/0.png"):
        (people / file).parent.mkdir(parents=True, exist_ok=True)
        (people / file).touch()
    code, out, err = kerasface("enroll", model, people, "--no-align", "--gallery", tmp_path / "team.kfg")
    assert code == 0, err
    assert "holds 2 people; 2 photos and 1 folder left out" in out
    for file in ("Bob/1.heic", "loose.jpg", "Deep/sub"):
        assert f"left out {people / file}: " in err
    assert "already" not in out
    code, out, err = kerasface(
        "enroll", model, people / "Bob" / "0.png", "--name", "Bob", "--no-align", "--gallery", tmp_path / "team.kfg"
    )
    assert code == 0, err
    assert "1 person had photos in it already; these were added" in out


def test_names_and_paths_in_brackets_are_told_whole(kerasface, model, people, tmp_path):
    photo, gallery = people / "Ann" / "0.png", tmp_path / "team [new] :key:.kfg"
    photo = photo.rename(photo.with_name("party [edited].png"))
    code, out, err = kerasface("enroll", model, photo, "--name", "Ann [HR]", "--no-align", "--gallery", gallery)
    assert code == 0, err
    assert f"{gallery} holds 1 person" in out
    answered = kerasface("identify", model, photo.parent, "--no-align", "--gallery", gallery, "--threshold", "0.99")[1]
    assert "party [edited].png" in answered
    assert " Ann [HR] " in answered
    assert " Ann [HR] " in kerasface("gallery", "ls", gallery)[1]
    assert "team [/new].kfg" in kerasface("gallery", "ls", tmp_path / "team [/new].kfg")[2]


def test_photos_without_access_are_an_error_and_no_traceback(kerasface, model, people, tmp_path, monkeypatch):
    def forbidden(folder):  # not by its permissions, which don't hold for root
        raise PermissionError(13, "Permission denied", str(folder))

    monkeypatch.setattr(Path, "iterdir", forbidden)
    code, _, err = kerasface("enroll", model, people, "--gallery", tmp_path / "team.kfg")
    assert code == 2
    assert err.startswith(f"error: no access to {people}: Permission denied. Give it to the user whom this runs as")
    assert not (tmp_path / "team.kfg").exists()


def test_a_blank_name_leaves_nothing_behind(kerasface, model, people, tmp_path):
    place = tmp_path / "galleries"
    photo = people / "Bob" / "0.png"
    code, _, err = kerasface("enroll", model, photo, "--name", "", "--no-align", "--gallery", place / "team.kfg")
    assert code == 2
    assert "error: whose photos are these? A name can't be blank" in err
    assert not place.exists()


def test_ls_and_rm(kerasface, enrolled):
    path = enrolled()
    code, out, _ = kerasface("gallery", "ls", path)
    assert code == 0
    rows = [line.split() for line in out.splitlines() if "Ann" in line or "Bob" in line]
    assert [(row[1], row[3]) for row in rows] == [("Ann", "3"), ("Bob", "1")]
    assert "2 people; policy mean; not encrypted; not renewable" in out
    assert "embedder blocks.test (a1b2)" in out
    assert "holds 1 person" in kerasface("gallery", "rm", path, "Ann")[1]
    assert Gallery.load(path).names == ["Bob"]
    code, _, err = kerasface("gallery", "rm", path, "Bob", "Eve")
    assert code == 2
    assert "nobody named 'Eve'" in err
    assert Gallery.load(path).names == ["Bob"]


def test_max_keeps_all_photos_and_ranks_are_listed(kerasface, enrolled, model, people):
    path = enrolled("--policy", "max")
    arguments = ("identify", model, people / "Ann" / "2.png", "--no-align", "--gallery", path, "--ranks", "2")
    code, out, _ = kerasface(*arguments)
    assert code == 0
    (row,) = [line for line in out.splitlines() if ".png" in line]
    assert "Ann 1.0000, Bob " in row
    code, _, err = kerasface("enroll", model, people, "--no-align", "--gallery", path, "--policy", "mean")
    assert code == 2
    assert "was made with --policy max. Received: --policy mean" in err


@pytest.mark.parametrize(("option", "file"), [("--passphrase-file", "pass.txt"), ("--key-file", "a.key")])
def test_encrypted_galleries(kerasface, enrolled, model, people, keys, option, file):
    path = enrolled(option, keys / file)
    assert path.read_bytes().startswith(SEALED_MAGIC)
    photo = people / "Bob" / "0.png"
    identify = ("identify", model, photo, "--no-align", "--gallery", path)
    code, out, _ = kerasface(*identify, option, keys / file)
    assert code == 0
    assert "Bob" in out
    for wrong in ((), ("--key-file", keys / "b.key")):
        for command in (identify, ("gallery", "ls", path), ("gallery", "rm", path, "Bob")):
            code, out, err = kerasface(*command, *wrong)
            assert code == 2
            assert "Ann" not in out + err
            assert "error:" in err
    code, _, err = kerasface(*identify, "--key-file", keys / "a.key", "--passphrase-file", keys / "pass.txt")
    assert code == 2
    assert "give one of the two" in err


def test_keys_may_come_from_the_environment(kerasface, enrolled, keys, monkeypatch):
    monkeypatch.setenv("KERASFACE_KEY_FILE", str(keys / "a.key"))
    monkeypatch.setenv("KERASFACE_RENEWAL_KEY", str(keys / "r.key"))
    path = enrolled()
    loaded = Gallery.load(path, secret=Secret.key_file(keys / "a.key"), renewal=RenewalKey.load(keys / "r.key"))
    assert loaded.names == ["Ann", "Bob"]
    code, out, _ = kerasface("gallery", "ls", path)
    assert code == 0
    assert f"encrypted with a key file; renewable under key {loaded.renewal.id}" in out


def test_encrypt_and_encrypt_again(kerasface, enrolled, keys):
    path = enrolled()
    assert kerasface("gallery", "encrypt", path)[0] == 2
    assert kerasface("gallery", "encrypt", path, "--new-key-file", keys / "a.key")[0] == 0
    change = ("--key-file", keys / "a.key", "--new-passphrase-file", keys / "pass.txt")
    code, out, _ = kerasface("gallery", "encrypt", path, *change)
    assert code == 0
    assert "is encrypted with a passphrase" in out
    assert Gallery.load(path, secret=Secret.passphrase("correct horse")).names == ["Ann", "Bob"]


def test_renew_revokes_the_old_key(kerasface, enrolled, model, people, keys):
    path = enrolled("--renewal-key", keys / "r.key")
    code, out, _ = kerasface(
        "gallery", "renew", path, "--renewal-key", keys / "r.key", "--new-renewal-key", keys / "s.key"
    )
    assert code == 0
    assert RenewalKey.load(keys / "s.key").id in out
    identify = ("identify", model, people / "Bob" / "0.png", "--no-align", "--gallery", path, "--renewal-key")
    assert "Bob" in kerasface(*identify, keys / "s.key")[1]
    code, _, err = kerasface(*identify, keys / "r.key")
    assert code == 2
    assert "stored under renewal key" in err


def test_export_and_import(kerasface, enrolled, model, people, keys, tmp_path):
    path = enrolled("--key-file", keys / "a.key", "--renewal-key", keys / "r.key")
    opened = ("--key-file", keys / "a.key", "--renewal-key", keys / "r.key")
    code, out, _ = kerasface("gallery", "export", path, "--out", tmp_path / "team.json", *opened)
    assert code == 0
    assert "biometric data of 2 people in clear" in out
    exported = json.loads((tmp_path / "team.json").read_text(encoding="utf-8"))
    crops = np.stack([np.array(Image.open(people / "Ann" / f"{i}.png")) for i in range(3)])
    mean = Embedder.load(model).embed(crops).mean(0)
    np.testing.assert_allclose(exported["people"][0]["templates"][0], mean, atol=1e-6)
    for _ in range(2):
        code, out, _ = kerasface("gallery", "import", tmp_path / "team.json", "--gallery", tmp_path / "all.kfg")
        assert code == 0
        assert "holds 2 people" in out
    assert Gallery.load(tmp_path / "all.kfg").count("Ann") == 6
    code, out, _ = kerasface("gallery", "export", "--help")
    assert "biometric data" in out
