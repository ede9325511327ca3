"""The log of an aligned set: one line a photo, written as the photos are done."""

import hashlib
import json
import os
from pathlib import Path

from kerasface.alignment.record import PhotoRecord
from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError

__all__ = ["LOG", "SETTINGS", "AlignmentLog", "check_settings", "read_log"]

LOG, SETTINGS = "align.jsonl", "align.json"
_FORMAT, _VERSION = "kerasface aligned photos", 1
# File names are bytes on Linux: those that aren't UTF-8 pass through.
_TEXT = {"encoding": "utf-8", "errors": "surrogateescape", "newline": "\n"}


def read_log(folder):
    """Reads the log of an aligned set.

    Args:
        folder: that `kerasface align` wrote.

    Returns:
        dict of photo to `PhotoRecord`; of a photo that was aligned again, the last.

    Raises:
        KerasfaceError: no log there, or a line that is none (the last one may be cut).

    Example:
        >>> [record.photo for record in read_log("aligned").values() if record.status == "none"]
        ['Ann/3.jpg']
    """
    path = Path(folder) / LOG
    try:
        lines = path.read_text(encoding="utf-8", errors="surrogateescape").split("\n")
    except OSError as error:
        raise KerasfaceError(f"no alignment log {path}: {error.strerror}. Was {folder} aligned?") from error
    records = {}
    # What follows the last line's end is a line that a killed run didn't finish.
    for number, line in enumerate(lines[:-1], start=1):
        try:
            record = PhotoRecord.from_json(line)
        except ValueError as error:
            raise KerasfaceError(
                f"{path}, line {number} is damaged: {error}. Delete it; its photo is redone."
            ) from error
        records[record.photo] = record
    return records


class AlignmentLog:
    """The log while a run goes on: what is done already, and room for more.

    Args:
        folder: the target; made when missing.
        settings: `AlignmentSettings`.
        faces: dict of photo to faces found elsewhere, or None.

    Raises:
        KerasfaceError: the folder can't be written, was aligned with other settings or points, or holds something else.
    """

    def __init__(self, folder, settings, faces=None):
        self.folder = Path(folder)
        self.done: dict[str, PhotoRecord] = {}
        known = self.folder / SETTINGS
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            if known.exists():
                check_settings(folder, settings, faces)
            elif any(self.folder.iterdir()):
                raise KerasfaceError(f"{folder} holds other files: name a folder that is empty or doesn't exist.")
            else:
                write_atomically(known, _described(settings, faces).encode(), mode=0o644)
            path = self.folder / LOG
            if path.exists():
                self.done = read_log(folder)
                _cut_unfinished_line(path)
            self._file = path.open("a", **_TEXT)
        except OSError as error:
            raise KerasfaceError(f"can't write to {folder}: {error.strerror}. Choose another place.") from error

    def __enter__(self):
        return self

    def __exit__(self, *error):
        self._file.close()

    def append(self, record):
        """Writes a line; the crops that it names must be there. Those that an earlier line alone names are removed."""
        if earlier := self.done.get(record.photo):
            for file in {file for file, _ in earlier.files} - {file for file, _ in record.files}:
                (self.folder / file).unlink(missing_ok=True)
        self._file.write(record.to_json() + "\n")
        self._file.flush()
        self.done[record.photo] = record

    def is_done(self, job, photo_bytes):
        """Tells whether a photo of this size was aligned before and all its crops are there, whole.

        Args:
            job: `PhotoJob`.
            photo_bytes: size of the photo's file.
        """
        record = self.done.get(job.photo)
        if record is None or record.photo_bytes != photo_bytes or record.status == "failed":
            return False
        return all(_size(self.folder / file) == size for file, size in record.files)


def check_settings(folder, settings, faces=None):
    """Compares a set's settings with those of a run.

    Args:
        folder: of the set.
        settings: `AlignmentSettings`.
        faces: dict of photo to faces found elsewhere, or None.

    Raises:
        KerasfaceError: they differ, or it is no aligned set.
    """
    path, wanted = Path(folder) / SETTINGS, json.loads(_described(settings, faces))
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if (found["format"], found["version"]) != (_FORMAT, _VERSION):
            raise ValueError(f"format {found['format']!r}, version {found['version']!r}")
        differing = [
            f"{name} {found['settings'].get(name)!r}, now {value!r}"
            for name, value in wanted["settings"].items()
            if found["settings"].get(name) != value
        ]
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise KerasfaceError(f"{path} is not what an alignment left ({error}): name another folder.") from error
    if differing:
        raise KerasfaceError(
            f"{folder} was begun with other settings: {'; '.join(differing)}. Go on with those, or name another folder."
        )


def _described(settings, faces):
    decisive = {**json.loads(settings.to_json()), "points_sha256": None if faces is None else _digest(faces)}
    return json.dumps({"format": _FORMAT, "version": _VERSION, "settings": decisive}, indent=1) + "\n"


def _digest(faces):
    digest = hashlib.sha256()
    for photo, found in sorted(faces.items()):
        numbers = [[face.score, *face.points.ravel().tolist()] for face in found]
        digest.update(json.dumps([photo, numbers]).encode())
    return digest.hexdigest()


def _cut_unfinished_line(path):
    with path.open("r+b") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)


def _size(path):
    try:
        return os.stat(path).st_size
    except OSError:
        return None
