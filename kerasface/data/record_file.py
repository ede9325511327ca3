"""insightface's training sets, `.rec` with `.idx`, read and written without MXNet.

Each record begins with an IRHeader: flag, label (float32), id, id2; with a flag of n, n float32 labels follow it.
Record 0 has flag 2 and the labels (a, b): images have the keys 1 to a − 1, and the records a to b − 1, one a person,
hold the range of keys of that person's images.

Reference:
    MXNet, `python/mxnet/recordio.py` (IRHeader, pack, unpack); insightface, `recognition/common/face_image.py`.
"""

import itertools
import mmap
import struct
from pathlib import Path

import numpy as np

from kerasface.data.drafts import draft_files
from kerasface.data.recordio import record_spans, write_record
from kerasface.data.source import FaceSource
from kerasface.errors import KerasfaceError

__all__ = ["read_record_file", "write_record_file"]

_HEADER = struct.Struct("<IfQQ")
_LABEL_BYTES = 4
_MAX_DIGITS = 20
# Labels and keys are float32 in the file: whole numbers only up to here.
_MAX_KEY = 1 << 24


def read_record_file(path):
    """Opens an insightface `.rec`; only the headers of its records are read.

    Args:
        path: of the `.rec`; its `.idx` lies beside it under the same name.

    Returns:
        `FaceSource`, in the order of keys, people named by their numbers in the file.

    Raises:
        KerasfaceError: a file that is missing or empty, an index that points outside, a record that is cut or damaged,
            labels that are no whole numbers, or identity ranges that contradict the images.

    Example:
        >>> faces = read_record_file("faces_emore/train.rec")
        >>> len(faces.names), len(faces)
        (85742, 5822653)
    """
    path = Path(path)
    offsets = _read_index(path.with_suffix(".idx"))
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _Records(path, content, offsets).source()
    except (OSError, ValueError) as error:  # mmap calls an empty file a ValueError
        raise KerasfaceError(f"can't read {path}: {error}") from error


def write_record_file(faces, path, *, progress=None):
    """Writes faces as an insightface `.rec` and `.idx`, images grouped by person, with identity ranges.

    Args:
        faces: `FaceSource`; names don't fit the format, people become numbers; those without photos are left out.
        path: of the `.rec`; the `.idx` is put beside it.
        progress: function of (done, total), or None.

    Raises:
        KerasfaceError: a file of that name exists or can't be written, photos without a label, empty or that can't be
            read, or too many for the format's float32 keys; nothing is left behind.

    Example:
        >>> write_record_file(open_faces("photos/aligned"), "train.rec")
    """
    path = Path(path)
    index = path.with_suffix(".idx")
    if index == path:  # it would replace the records
        raise KerasfaceError(f"{path} is the name of an index: name the .rec, and the .idx is put beside it.")
    for file in (path, index):
        if file.exists():
            raise KerasfaceError(f"{file} exists: name another, or move it away.")
    people, images = len(faces.names), len(faces)
    if not images or faces.labels.min() < 0:
        raise KerasfaceError("a .rec takes photos of known people only. Received: none, or photos labelled −1.")
    if images + people + 1 > _MAX_KEY:
        raise KerasfaceError(f"a .rec counts to {_MAX_KEY}. Received: {images} photos of {people} people.")
    try:
        with draft_files(path, index) as (records, lines):
            _write(faces.select(np.unique(faces.labels)), records, lines, progress)
    except OSError as error:
        raise KerasfaceError(f"can't write {path}: {error.strerror}.") from error


class _Records:
    """The records of one mapped file by key."""

    def __init__(self, path, content, offsets):
        self.path, self.content, self.offsets = path, content, offsets

    def source(self):
        keys = np.array(self._image_keys(), np.int64)
        if not keys.size:
            raise KerasfaceError(f"{self.path} holds no images: its index has {len(self.offsets)} records.")
        numbers = np.empty(len(keys), np.int64)
        offsets, lengths = np.empty(len(keys), np.int64), np.empty(len(keys), np.int64)
        continued = {}
        for row, key in enumerate(keys.tolist()):
            labels, spans = self._record(key)
            numbers[row] = self._whole(labels[0], key)
            if not spans:
                raise KerasfaceError(f"{self.path}: record {key} holds no image after its header.")
            offsets[row], lengths[row] = spans[0]
            if len(spans) > 1:
                continued[0, spans[0][0]] = tuple(spans[1:])
        distinct, labels = np.unique(numbers, return_inverse=True)
        source = FaceSource(
            tuple(map(str, distinct.tolist())),
            labels.astype(np.int32),
            (str(self.path),),
            np.zeros(len(keys), np.int32),
            offsets,
            lengths,
            continued,
        )
        self._check_ranges(source)
        return source

    def _image_keys(self):
        self._ranges = []
        if 0 not in self.offsets:
            return sorted(self.offsets)
        labels, _ = self._record(0)
        if len(labels) < 2:  # an image like any other
            return sorted(self.offsets)
        after_images, after_people = (self._whole(label, 0) for label in labels[:2])
        for key in range(after_images, after_people):
            labels, _ = self._record(key)
            start, end = (self._whole(label, key) for label in labels[:2]) if len(labels) > 1 else (0, 0)
            if not 1 <= start < end <= after_images:
                raise KerasfaceError(
                    f"{self.path}: record {key} should hold a person's range of keys in [1, {after_images}). Received: "
                    f"{labels}"
                )
            self._ranges.append((start, end))
        if self._ranges:
            self._ranges.sort()
            # Asked before they are counted out: ranges that all reach over everything would fill the memory.
            if any(end > start for (_, end), (start, _) in itertools.pairwise(self._ranges)):
                raise KerasfaceError(f"{self.path}: two people's ranges of keys overlap. Is it damaged?")
            return [key for start, end in self._ranges for key in range(start, end)]
        return range(1, min(after_images, max(self.offsets) + 2))

    def _check_ranges(self, source):
        row = 0
        for start, end in self._ranges:
            found = np.unique(source.labels[row : row + end - start])
            if len(found) > 1:
                people = ", ".join(source.names[label] for label in found[:5])
                raise KerasfaceError(
                    f"{self.path}: the keys {start} to {end - 1} are one person's by their range, but their labels are "
                    f"{people}. Is the .idx another file's?"
                )
            row += end - start

    def _record(self, key):
        """The labels in the header, and the spans behind it."""
        offset = self.offsets.get(key)
        if offset is None:
            raise KerasfaceError(f"{self.path}: the .idx has no record {key}, which the header promises.")
        spans = record_spans(self.content, offset, self.path)
        head = self._first(spans, _HEADER.size)
        total = sum(length for _, length in spans)
        flag, label, _, _ = _HEADER.unpack(head) if len(head) == _HEADER.size else (0, 0.0, 0, 0)
        size = _HEADER.size + flag * _LABEL_BYTES
        if size > total:
            raise KerasfaceError(
                f"{self.path}: record {key} of {total} bytes is shorter than its header, {size} bytes. Is it an image "
                "set of insightface?"
            )
        more = self._first(spans, size)[_HEADER.size :]
        return (struct.unpack(f"<{flag}f", more) if flag else (label,)), _without(spans, size)

    def _first(self, spans, count):
        if count <= spans[0][1]:
            return self.content[spans[0][0] : spans[0][0] + count]
        return b"".join(self.content[offset : offset + length] for offset, length in spans)[:count]

    def _whole(self, value, key):
        if not (0 <= value <= _MAX_KEY and value == int(value)):
            raise KerasfaceError(f"{self.path}: record {key} should be labelled with a whole number. Received: {value}")
        return int(value)


def _write(faces, records, lines, progress):
    """The header, the images by person, and each person's range of keys."""
    people, images = len(faces.names), len(faces)
    ends = 1 + np.cumsum(np.bincount(faces.labels, minlength=people))
    starts = np.concatenate([[1], ends[:-1]])
    place = 0

    def write(key, header, content=b""):
        nonlocal place
        lines.write(f"{key}\t{place}\n".encode())
        place += write_record(records, header + content)

    write(0, _pack_header(0, images + 1, images + people + 1))
    for key, row in enumerate(np.argsort(faces.labels, kind="stable"), start=1):
        write(key, _pack_header(key, faces.labels[row]), faces.photos[row].read_bytes())
        if progress:
            progress(key, images)
    for label, (start, end) in enumerate(zip(starts, ends, strict=True)):
        write(images + 1 + label, _pack_header(images + 1 + label, start, end))


def _read_index(path):
    """Offsets by key."""
    try:
        fields = path.read_bytes().split()
    except OSError as error:
        raise KerasfaceError(f"no index {path}: {error.strerror}. A .rec is read by the .idx beside it.") from error
    try:
        if not fields or len(fields) % 2 or max(map(len, fields)) > _MAX_DIGITS:
            raise ValueError
        numbers = list(map(int, fields))
    except ValueError:
        raise KerasfaceError(f"{path} is no index: expected lines of `key<TAB>offset`, two whole numbers.") from None
    return dict(zip(numbers[::2], numbers[1::2], strict=True))


def _pack_header(key, *labels):
    """With several labels the header counts them in its flag, as insightface's records 0 and of people do."""
    if len(labels) == 1:
        return _HEADER.pack(0, labels[0], key, 0)
    return _HEADER.pack(len(labels), 0.0, key, 0) + struct.pack(f"<{len(labels)}f", *labels)


def _without(spans, count):
    """The spans behind the first `count` bytes."""
    left = []
    for offset, length in spans:
        cut = min(count, length)
        count -= cut
        if length > cut:
            left.append((offset + cut, length - cut))
    return left
