"""FaceSource: encoded faces with labels, wherever their bytes lie; what every reader returns and everything reads."""

import dataclasses
import hashlib
import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from kerasface.errors import KerasfaceError

__all__ = ["FaceSource", "Photo", "join"]

WHOLE = -1  # the length of a photo that is a file of its own


@dataclasses.dataclass(frozen=True, eq=False)
class FaceSource:
    """Labelled photos as spans of files: a table that a folder, a packed set, a `.rec` and a list all come down to.

    Photo n is `lengths[n]` bytes at `offsets[n]` of `files[file_of[n]]`. So that any of them is read without its
    neighbors, in whatever order a seed decides.

    Args:
        names: identity of each label.
        labels: (N,) int32, index into `names` of each photo; −1 for a photo of nobody known.
        files: paths.
        file_of: (N,) int32, index into `files`.
        offsets: (N,) int64, bytes.
        lengths: (N,) int64, bytes; −1 for the whole file.
        continued: further spans `((offset, length), …)` of photos that lie in several pieces, by (file, offset) of the
            first.

    Example:
        >>> faces = open_faces("photos/aligned")
        >>> len(faces.names), len(faces)
        (3059, 13476)
        >>> faces.photos[0].read_bytes()[:3]
        b'\\xff\\xd8\\xff'
    """

    names: tuple[str, ...]
    labels: np.ndarray
    files: tuple[str, ...]
    file_of: np.ndarray
    offsets: np.ndarray
    lengths: np.ndarray
    continued: Mapping = dataclasses.field(default_factory=dict)

    @classmethod
    def of_files(cls, names, labels, paths):
        """Returns the source in which every photo is a file of its own.

        Args:
            names: identity of each label.
            labels: (N,) int.
            paths: N paths.
        """
        count = len(paths)
        return cls(
            tuple(names),
            np.asarray(labels, np.int32),
            tuple(map(str, paths)),
            np.arange(count, dtype=np.int32),
            np.zeros(count, np.int64),
            np.full(count, WHOLE, np.int64),
        )

    def __len__(self):
        return len(self.labels)

    @property
    def photos(self):
        """Sequence of `Photo`, one a row."""
        return _Photos(self)

    def take(self, rows):
        """Returns the source with only these photos, in this order, and the same names.

        Args:
            rows: (M,) int.
        """
        rows = np.asarray(rows, np.int64)
        return dataclasses.replace(
            self,
            labels=self.labels[rows],
            file_of=self.file_of[rows],
            offsets=self.offsets[rows],
            lengths=self.lengths[rows],
        )

    def select(self, identities):
        """Returns the part with only these identities, renumbered from 0 in the order of their old labels.

        Args:
            identities: labels to keep, in any order.

        Raises:
            ValueError: a label that nobody has.
        """
        kept = np.unique(np.asarray(identities, np.int64))
        if kept.size and not 0 <= kept[0] <= kept[-1] < len(self.names):
            raise ValueError(f"labels lie in [0, {len(self.names)}). Received: {kept[0]} to {kept[-1]}")
        part = self.take(np.flatnonzero(np.isin(self.labels, kept)))
        return dataclasses.replace(
            part,
            names=tuple(self.names[label] for label in kept),
            labels=np.searchsorted(kept, part.labels).astype(np.int32),
        )

    def with_photos(self, paths):
        """Returns the same people plus photos of nobody known, labelled −1, which only a teacher can use."""
        return join(self, FaceSource.of_files((), np.full(len(paths), -1, np.int32), paths))

    def spans(self, row):
        """Returns the pieces `((offset, length), …)` of one photo in its file."""
        first = int(self.offsets[row]), int(self.lengths[row])
        return (first, *self.continued.get((int(self.file_of[row]), first[0]), ()))

    def read_rows(self, rows):
        """Reads encoded photos; each file is opened once, however many of them it holds.

        Args:
            rows: (M,) int.

        Returns:
            list of M bytes.

        Raises:
            OSError: a file that is gone or can't be read.
            KerasfaceError: a file that ends before its photo does.
        """
        contents = [b""] * len(rows)
        by_file: dict[int, list[int]] = {}
        for place, file in enumerate(self.file_of[rows].tolist()):
            by_file.setdefault(file, []).append(place)
        for file, places in by_file.items():
            handle = os.open(self.files[file], _READ_ONLY)
            try:
                for place in places:
                    contents[place] = self._read(handle, int(rows[place]))
            finally:
                os.close(handle)
        return contents

    def fingerprint(self):
        """What tells this source from another: a dict of numbers and a sha256 over names and places of the photos."""
        endings = ["/".join(Path(file).parts[-2:]) for file in self.files]
        lines = []
        for row, (label, file) in enumerate(zip(self.labels.tolist(), self.file_of.tolist(), strict=True)):
            line = endings[file]
            if self.lengths[row] != WHOLE:
                line += "".join(f" {offset}+{length}" for offset, length in self.spans(row))
            # A class folder's path says the name already.
            name = self.names[label] if label >= 0 else ""
            lines.append(line if not name or line.partition("/")[0] == name else f"{name}: {line}")
        # A file name that is not UTF-8 comes with surrogates, which strict encoding refuses.
        listing = hashlib.sha256("\n".join(lines).encode(errors="surrogatepass")).hexdigest()
        return {"people": len(self.names), "images": len(self), "listing": listing}

    def _read(self, handle, row):
        pieces = []
        for offset, length in self.spans(row):
            wanted = os.fstat(handle).st_size if length == WHOLE else length
            piece = _read_at(handle, offset, wanted)
            if len(piece) != wanted:
                raise KerasfaceError(
                    f"{self.photos[row]} ends early: expected {wanted} bytes at {offset}. Received: {len(piece)}. Was "
                    "the file changed or cut since it was opened?"
                )
            pieces.append(piece)
        return b"".join(pieces)


@dataclasses.dataclass(frozen=True, eq=False)
class Photo:
    """One photo of a source: it reads as a path does, and its text says where it lies.

    Args:
        source: `FaceSource`.
        row: of the photo.
    """

    source: FaceSource
    row: int

    def read_bytes(self):
        """Returns the encoded photo.

        Raises:
            KerasfaceError: the file is gone, can't be read, ends early or is empty.
        """
        try:
            (content,) = self.source.read_rows(np.array([self.row]))
        except OSError as error:
            raise KerasfaceError(f"can't read {self}: {error.strerror}. Is it still there?") from error
        if not content:  # the formats that hold many photos have no room for one of no bytes
            raise KerasfaceError(
                f"{self} is empty (0 bytes): delete it, or use the list that `kerasface clean` writes."
            )
        return content

    def __str__(self):
        source, row = self.source, self.row
        file = source.files[source.file_of[row]]
        if source.lengths[row] == WHOLE:
            return file
        label = source.labels[row]
        whose = f" of {source.names[label]}" if label >= 0 else ""
        return f"{file}, photo{whose} at byte {source.offsets[row]}"


def join(first, second):
    """Puts the photos of a second source behind those of a first.

    Args:
        first, second: `FaceSource`; the second's identities come after the first's, also where names are equal.

    Returns:
        `FaceSource`.
    """
    shift = len(first.files)
    moved = {(file + shift, offset): spans for (file, offset), spans in second.continued.items()}
    labels = np.where(second.labels >= 0, second.labels + len(first.names), -1).astype(np.int32)
    return FaceSource(
        (*first.names, *second.names),
        np.concatenate([first.labels, labels]),
        (*first.files, *second.files),
        np.concatenate([first.file_of, second.file_of + np.int32(shift)]),
        np.concatenate([first.offsets, second.offsets]),
        np.concatenate([first.lengths, second.lengths]),
        {**first.continued, **moved},
    )


class _Photos(Sequence):
    def __init__(self, source):
        self._source = source

    def __len__(self):
        return len(self._source)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return [Photo(self._source, row) for row in range(*key.indices(len(self)))]
        return Photo(self._source, range(len(self))[key])


_READ_ONLY = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)


def _read_at(handle, offset, length):
    if hasattr(os, "pread"):
        return os.pread(handle, length, offset)
    os.lseek(handle, offset, os.SEEK_SET)  # Windows; the handle is this call's own
    return os.read(handle, length)
