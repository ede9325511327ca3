"""Packed faces: TFRecord shards with a manifest and an index, so that a million photos are a few large files."""

import collections
import concurrent.futures
import contextlib
import hashlib
import json
import os
import shutil
import tempfile
from pathlib import Path

import numpy as np

from kerasface.data.source import FaceSource
from kerasface.data.text_names import check_text_names
from kerasface.errors import KerasfaceError

__all__ = ["MANIFEST", "check_packed", "pack_faces", "read_packed"]

MANIFEST = "manifest.json"
_FORMAT, _VERSION = "kerasface packed faces", 1
_INDEX = "index.bin"
_COLUMNS = ("shard", "offset", "length", "label")
_INTEGER = np.dtype("<i8")
_LENGTH_AND_CRC = 8 + 4  # before the data of a TFRecord; a CRC of 4 bytes follows it
_CRC = 4
_BLOCK = 1 << 20


def pack_faces(faces, folder, *, photos_per_shard=16_384, workers=None, progress=None):
    """Writes faces as TFRecord shards, several at once, with a manifest of people, counts and hashes.

    Each record is a `tf.train.Example` of `image` (the encoded photo as it is), `label` and `name`, so that anything
    that reads TFRecord reads it. `index.bin` tells where each photo lies: `read_packed` goes straight to any of them.
    The same faces give the same bytes.

    Args:
        faces: `FaceSource` of known people; names without photos are left out.
        folder: to make; it appears when everything is written, or not at all.
        photos_per_shard: a shard of 16,384 aligned faces has about 60 MB.
        workers: threads; as many as cores by default.
        progress: function of (done, total), or None.

    Raises:
        KerasfaceError: the folder exists or can't be written, photos without a label, a photo that is empty or can't
            be read, or a name that is not UTF-8; nothing is left behind.

    Example:
        >>> pack_faces(open_faces("photos/aligned"), "packed/")
    """
    import tensorflow as tf

    folder = Path(folder)
    if folder.exists():
        raise KerasfaceError(f"{folder} exists: name a folder that doesn't, or move it away.")
    if not len(faces) or faces.labels.min() < 0:
        raise KerasfaceError("only photos of known people are packed. Received: none, or photos labelled −1.")
    faces = faces.select(np.unique(faces.labels))
    check_text_names(faces.names)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".draft_{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise KerasfaceError(f"can't write to {folder.parent}: {error.strerror}.") from error
    try:
        _fill(draft, faces, photos_per_shard, workers, progress)
        os.chmod(draft, 0o755)
        os.replace(draft, folder)
    except (OSError, tf.errors.OpError) as error:
        raise KerasfaceError(f"can't write {folder}: {getattr(error, 'message', error)}.") from error
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def read_packed(folder):
    """Opens what `pack_faces` wrote; the index's hash and the shards' sizes are checked, their hashes are not.

    Args:
        folder: with the manifest in it.

    Returns:
        `FaceSource`, in the order in which it was packed.

    Raises:
        KerasfaceError: no such folder, a manifest or index that is damaged, or a shard that is missing or of another
            size.

    Example:
        >>> faces = read_packed("packed/")
    """
    folder = Path(folder)
    manifest = _read_manifest(folder)
    content = _content(folder, manifest["index"])
    index = np.frombuffer(content, _INTEGER).reshape(-1, len(_COLUMNS)).astype(np.int64)
    shard, offset, length, label = index.T
    names = tuple(person["name"] for person in manifest["people"])
    sizes = np.array([entry["bytes"] for entry in manifest["shards"]], np.int64)
    fits = len(index) == manifest["images"] and bool(
        len(index)
        and ((shard >= 0) & (shard < len(sizes)) & (label >= 0) & (label < len(names))).all()
        and ((offset >= 0) & (length > 0) & (length <= sizes[shard]) & (offset <= sizes[shard] - length)).all()
    )
    if not fits:
        raise KerasfaceError(f"{folder / _INDEX} doesn't fit the manifest: photos outside of shards. Pack it again.")
    files = [folder / entry["file"] for entry in manifest["shards"]]
    for file, size in zip(files, sizes.tolist(), strict=True):
        found = file.stat().st_size if file.is_file() else None
        if found != size:
            raise KerasfaceError(
                f"{file} should have {size} bytes. Received: {found or 'no such file'}. Copy it again."
            )
    return FaceSource(
        names, label.astype(np.int32), tuple(map(str, files)), shard.astype(np.int32), offset.copy(), length.copy()
    )


def check_packed(folder, *, progress=None):
    """Compares every shard with its sha256, after a copy for instance.

    Args:
        folder: that `pack_faces` wrote.
        progress: function of (done, total), in shards, or None.

    Raises:
        KerasfaceError: the first shard whose bytes are others.

    Example:
        >>> check_packed("packed")
    """
    read_packed(folder)
    shards = _read_manifest(Path(folder))["shards"]
    for number, entry in enumerate(shards, start=1):
        path = Path(folder) / entry["file"]
        if (found := _sha256(path)) != entry["sha256"]:
            raise KerasfaceError(
                f"{path} is damaged: expected sha256 {entry['sha256']}. Received: {found}. Copy it again."
            )
        if progress:
            progress(number, len(shards))


def _fill(folder, faces, photos_per_shard, workers, progress):
    parts = [
        np.arange(len(faces))[start : start + photos_per_shard] for start in range(0, len(faces), photos_per_shard)
    ]
    shards = [folder / f"shard_{number:05d}_of_{len(parts):05d}.tfrecord" for number in range(len(parts))]
    done: collections.deque[int] = collections.deque()  # appended to by every thread
    with concurrent.futures.ThreadPoolExecutor(workers or os.cpu_count()) as pool:
        jobs = [pool.submit(_write_shard, *job, faces, done) for job in zip(shards, parts, strict=True)]
        try:
            _wait(jobs, done, len(faces), progress)
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    rows = [np.insert(job.result(), 0, number, axis=1) for number, job in enumerate(jobs)]
    (folder / _INDEX).write_bytes(np.concatenate(rows).astype(_INTEGER).tobytes())
    manifest = {
        "format": _FORMAT, "version": _VERSION, "images": len(faces), "people": _people(faces),
        "index": {**_described(folder / _INDEX), "columns": _COLUMNS},
        "shards": [{**_described(shard), "images": len(part)} for shard, part in zip(shards, parts, strict=True)],
    }  # fmt: skip
    (folder / MANIFEST).write_text(json.dumps(manifest, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def _write_shard(path, rows, faces, done):
    """Writes one shard; returns (offset of the photo's bytes, their number, label) of each row."""
    import tensorflow as tf

    places, start = [], 0
    with tf.io.TFRecordWriter(str(path)) as writer:
        for row in rows.tolist():
            content, label = faces.photos[row].read_bytes(), int(faces.labels[row])
            record = _example(tf, content, label, faces.names[label])
            writer.write(record)
            # Wherever these bytes are found first, they are the photo's bytes.
            places.append((start + _LENGTH_AND_CRC + record.index(content), len(content), label))
            start += _LENGTH_AND_CRC + len(record) + _CRC
            done.append(1)
    return np.array(places, np.int64)


def _example(tf, content, label, name):
    features = {
        "image": tf.train.Feature(bytes_list=tf.train.BytesList(value=[content])),
        "label": tf.train.Feature(int64_list=tf.train.Int64List(value=[label])),
        "name": tf.train.Feature(bytes_list=tf.train.BytesList(value=[name.encode()])),
    }
    example = tf.train.Example(features=tf.train.Features(feature=features))
    return example.SerializeToString(deterministic=True)


def _wait(jobs, done, total, progress):
    pending = set(jobs)
    while pending:
        finished, pending = concurrent.futures.wait(
            pending, timeout=0.2, return_when=concurrent.futures.FIRST_EXCEPTION
        )
        if progress:
            progress(len(done), total)
        for job in finished:
            job.result()


def _people(faces):
    counts = np.bincount(faces.labels, minlength=len(faces.names)).tolist()
    return [{"name": name, "images": count} for name, count in zip(faces.names, counts, strict=True)]


def _described(path):
    return {"file": path.name, "bytes": path.stat().st_size, "sha256": _sha256(path)}


def _sha256(path):
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _read_manifest(folder):
    path = folder / MANIFEST
    try:
        manifest = json.loads(path.read_text(encoding="utf-8"))
        if (manifest["format"], manifest["version"]) != (_FORMAT, _VERSION):
            raise KerasfaceError(
                f"{path} is not of this version: expected {_FORMAT!r}, version {_VERSION}. Received: "
                f"{manifest['format']!r}, version {manifest['version']!r}. Pack the faces again."
            )
        _check_manifest(manifest)
    except OSError as error:
        raise KerasfaceError(f"no packed faces in {folder}: {path}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise KerasfaceError(f"{path} is damaged: {type(error).__name__}: {error}. Copy it again.") from error
    return manifest


def _check_manifest(manifest):
    """Raises what a manifest of another shape leads to."""
    for entry in (manifest["index"], *manifest["shards"]):
        file, size, digest = entry["file"], entry["bytes"], entry["sha256"]
        # A name alone: a manifest from elsewhere must not lead out of its folder.
        if not isinstance(file, str) or Path(file).name != file or "\\" in file:
            raise ValueError(f"not a plain file name: {file!r}")
        if not isinstance(size, int) or size < 0 or not isinstance(digest, str):
            raise ValueError(f"not a size and a sha256: {size!r}, {digest!r}")
    if not isinstance(manifest["images"], int) or not all(isinstance(one["name"], str) for one in manifest["people"]):
        raise ValueError("images must be a number and people have names")


def _content(folder, entry):
    path = folder / entry["file"]
    with contextlib.suppress(OSError):
        if path.stat().st_size == entry["bytes"]:
            content = path.read_bytes()
            if len(content) % (len(_COLUMNS) * _INTEGER.itemsize) == 0 and _sha256(path) == entry["sha256"]:
                return content
    raise KerasfaceError(f"{path} is missing or damaged: its size or sha256 is not the manifest's. Copy it again.")
