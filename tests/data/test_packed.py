"""Packed faces: TFRecord that others read too, the same bytes every time, and folders that lie."""

import hashlib
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from kerasface.data import FaceSource, check_packed, open_faces, pack_faces, read_folder, read_packed
from kerasface.errors import KerasfaceError
from tests.data.conftest import LATIN_1


@pytest.fixture
def packed(every_format, tmp_path):
    """A copy that may be spoilt."""
    shutil.copytree(every_format["packed"], tmp_path / "packed")
    return tmp_path / "packed"


def test_tensorflow_reads_every_record(every_format, faces_root):
    faces = read_folder(faces_root)
    shards = sorted(map(str, every_format["packed"].glob("*.tfrecord")))
    assert len(shards) == 3  # 14 photos, five a shard
    features = {
        "image": tf.io.FixedLenFeature((), tf.string),
        "label": tf.io.FixedLenFeature((), tf.int64),
        "name": tf.io.FixedLenFeature((), tf.string),
    }
    records = [tf.io.parse_single_example(record, features) for record in tf.data.TFRecordDataset(shards)]
    assert [record["image"].numpy() for record in records] == [photo.read_bytes() for photo in faces.photos]
    assert [int(record["label"]) for record in records] == faces.labels.tolist()
    assert [record["name"].numpy().decode() for record in records] == [faces.names[label] for label in faces.labels]


def test_the_manifest_says_what_is_there(every_format):
    manifest = json.loads((every_format["packed"] / "manifest.json").read_text())
    assert manifest["images"] == 14
    counts = [(person["name"], person["images"]) for person in manifest["people"]]
    assert counts == [(f"person_{label:04d}", label + 2) for label in range(4)]
    assert [shard["images"] for shard in manifest["shards"]] == [5, 5, 4]
    for entry in (manifest["index"], *manifest["shards"]):
        content = (every_format["packed"] / entry["file"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["bytes"], entry["sha256"])


def test_the_same_faces_give_the_same_bytes(every_format, faces_root, tmp_path):
    counted = []
    pack_faces(
        read_folder(faces_root),
        tmp_path / "again",
        photos_per_shard=5,
        workers=1,
        progress=lambda *count: counted.append(count),
    )
    assert counted[-1] == (14, 14)
    assert [path.name for path in tmp_path.iterdir()] == ["again"]
    for path in every_format["packed"].iterdir():
        assert (tmp_path / "again" / path.name).read_bytes() == path.read_bytes()


def test_packs_what_was_packed(every_format, tmp_path):
    faces = open_faces(every_format["packed"]).select([1, 3])
    pack_faces(faces, tmp_path / "part")
    part = read_packed(tmp_path / "part")
    assert part.names == ("person_0001", "person_0003")
    assert [photo.read_bytes() for photo in part.photos] == [photo.read_bytes() for photo in faces.photos]


def test_names_without_photos_are_left_out(faces_root, tmp_path):
    pack_faces(read_folder(faces_root).take([13, 0]), tmp_path / "few")
    few = open_faces(tmp_path / "few")
    assert few.names == ("person_0000", "person_0003")
    np.testing.assert_array_equal(few.labels, [1, 0])


def test_nothing_is_left_of_a_pack_that_failed(faces_root, tmp_path):
    faces = read_folder(faces_root)
    gone = FaceSource.of_files(("a",), [0, 0], [faces.files[0], tmp_path / "gone.png"])
    with pytest.raises(KerasfaceError, match=r"can't read .*gone\.png"):
        pack_faces(gone, tmp_path / "packed", photos_per_shard=1)
    (tmp_path / "file").write_text("mine")
    with pytest.raises(KerasfaceError, match="file exists"):
        pack_faces(faces, tmp_path / "file")
    with pytest.raises(KerasfaceError, match="can't write to .*file"):
        pack_faces(faces, tmp_path / "file" / "packed")
    with pytest.raises(KerasfaceError, match="known people"):
        pack_faces(faces.with_photos(["x"]), tmp_path / "packed")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_name_that_the_manifest_cannot_hold_is_refused(faces_root, tmp_path):
    file = read_folder(faces_root).files[0]
    with pytest.raises(KerasfaceError, match=r"names in UTF-8. Received: 'Andr\\udce9'. Rename"):
        pack_faces(FaceSource.of_files(("Ann", LATIN_1), [0, 1], [file, file]), tmp_path / "packed")
    assert not list(tmp_path.iterdir())
    # A name that nobody bears is not written.
    pack_faces(FaceSource.of_files(("Ann", LATIN_1), [0], [file]), tmp_path / "packed")
    assert read_packed(tmp_path / "packed").names == ("Ann",)


def test_a_full_disk_is_an_error_that_leaves_nothing(faces_root, tmp_path, monkeypatch):
    def full(*_):
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device")

    monkeypatch.setattr(tf.io.TFRecordWriter, "write", full)
    with pytest.raises(KerasfaceError, match="can't write .*packed: No space left on device"):
        pack_faces(read_folder(faces_root), tmp_path / "packed")
    assert not list(tmp_path.iterdir())


def rewrite(folder, change):
    manifest = json.loads((folder / "manifest.json").read_text())
    change(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def reindex(folder, change):
    """Changes the index and makes the manifest agree."""
    index = np.fromfile(folder / "index.bin", "<i8").reshape(-1, 4)
    change(index)
    index.tofile(folder / "index.bin")
    digest = hashlib.sha256(index.tobytes()).hexdigest()
    rewrite(folder, lambda manifest: manifest["index"].update(sha256=digest))


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "manifest.json").write_text("{"), r"manifest\.json is damaged"),
        (lambda folder: (folder / "manifest.json").write_text("[]"), r"manifest\.json is damaged"),
        (lambda folder: rewrite(folder, lambda m: m.update(version=2)), "version 1. Received: .* version 2"),
        (lambda folder: rewrite(folder, lambda m: m.pop("people")), "damaged: KeyError: 'people'"),
        (lambda folder: rewrite(folder, lambda m: m["people"].pop()), "outside of shards"),
        (lambda folder: rewrite(folder, lambda m: m.update(images=13)), "doesn't fit the manifest"),
        (lambda folder: rewrite(folder, lambda m: m["shards"][0].update(file="../a")), "not a plain file name: '../a'"),
        (lambda folder: rewrite(folder, lambda m: m["index"].update(file="/etc/passwd")), "not a plain file name"),
        (lambda folder: rewrite(folder, lambda m: m["shards"][0].update(bytes=-1)), "not a size"),
        (
            lambda folder: rewrite(folder, lambda m: m["index"].update(bytes=10**15)),
            r"index\.bin is missing or damaged",
        ),
        (lambda folder: (folder / "index.bin").write_bytes(bytes(14 * 32)), r"index\.bin is missing or damaged"),
        (lambda folder: (folder / "index.bin").unlink(), r"index\.bin is missing or damaged"),
        (lambda folder: reindex(folder, lambda index: index.__setitem__((3, 0), 3)), "outside of shards"),
        (lambda folder: reindex(folder, lambda index: index.__setitem__((3, 0), -1)), "outside of shards"),
        (lambda folder: reindex(folder, lambda index: index.__setitem__((3, 1), -1)), "outside of shards"),
        (lambda folder: reindex(folder, lambda index: index.__setitem__((3, 1), 2**63 - 1)), "outside of shards"),
        (lambda folder: reindex(folder, lambda index: index.__setitem__((3, 2), 2**62)), "outside of shards"),
        (lambda folder: reindex(folder, lambda index: index.__setitem__((3, 2), -1)), "outside of shards"),
        (lambda folder: reindex(folder, lambda index: index.__setitem__((3, 3), 4)), "outside of shards"),
        (lambda folder: (folder / "shard_00001_of_00003.tfrecord").unlink(), "Received: no such file"),
        (lambda folder: (folder / "shard_00001_of_00003.tfrecord").write_bytes(b"abc"), "Received: 3"),
    ],
)
def test_a_folder_that_lies_is_an_error(damage, message, packed):
    damage(packed)
    with pytest.raises(KerasfaceError, match=message):
        open_faces(packed) if (packed / "manifest.json").exists() else read_packed(packed)


def test_other_bytes_of_the_same_length_are_found(packed):
    assert check_packed(packed) is None
    shard = packed / "shard_00001_of_00003.tfrecord"
    content = bytearray(shard.read_bytes())
    content[100] ^= 1
    shard.write_bytes(content)
    read_packed(packed)
    with pytest.raises(KerasfaceError, match="shard_00001_of_00003.tfrecord is damaged: expected sha256"):
        check_packed(packed)


def test_a_folder_without_manifest_is_named(tmp_path):
    with pytest.raises(KerasfaceError, match="no packed faces in .*: No such file"):
        read_packed(tmp_path)
