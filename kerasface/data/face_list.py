"""Lists of faces: CSV or Parquet tables of path and label, read and (CSV) written."""

import csv
import functools
import io
import os
import re
from pathlib import Path

import numpy as np

from kerasface.data.source import WHOLE, FaceSource
from kerasface.data.text_names import check_text_names
from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError

__all__ = ["read_list", "write_list"]

_SPAN = re.compile(r"(\d{1,18})\+(\d{1,18})", re.ASCII)


def read_list(path):
    """Reads a list of photos.

    The table has the columns `path` (relative to the list's folder, or absolute) and `label` (the person, any text),
    others are ignored but for `bytes`: where it says `offset+length`, the photo is that span of the file, as `kerasface
    clean` writes it for packed sets and `.rec` files; several spans, separated by blanks, are joined.

    Args:
        path: `.csv` (UTF-8, the first line names the columns) or `.parquet` (needs pyarrow).

    Returns:
        `FaceSource`: photos in the list's order, people sorted by name.

    Raises:
        KerasfaceError: no such file, a table of another kind, an empty path or label, a span outside of its file, or
            photos that begin alike and go on differently; the line is named.

    Example:
        >>> faces = read_list("keep.csv")
    """
    path = Path(path)
    rows = _parquet_rows(path) if path.suffix.lower() == ".parquet" else _csv_rows(path)
    if not rows:
        raise KerasfaceError(f"{path} lists no photos: expected one a line, below the columns' names.")
    where, labels, spans = zip(*rows, strict=True)
    for line, (photo, label) in enumerate(zip(where, labels, strict=True), start=2):
        if not photo or not label:
            raise KerasfaceError(f"{path}, line {line}: expected a path and a label. Received: {photo!r}, {label!r}")
    names, numbers = np.unique(np.array(labels, object), return_inverse=True)
    files = {photo: number for number, photo in enumerate(dict.fromkeys(where))}
    sizes = _Sizes([str(path.parent / photo) for photo in files])
    offsets, lengths, further = [], [], []
    for line, (photo, text) in enumerate(zip(where, spans, strict=True), start=2):
        (offset, length), *more = _pieces(text, sizes, files[photo], f"{path}, line {line}")
        offsets.append(offset)
        lengths.append(length)
        further.append(tuple(more))
    file_of = [files[photo] for photo in where]
    return FaceSource(
        tuple(names.tolist()),
        numbers.astype(np.int32),
        tuple(sizes.files),
        np.array(file_of, np.int32),
        np.array(offsets, np.int64),
        np.array(lengths, np.int64),
        _continued(path, list(zip(file_of, offsets, strict=True)), further, spans),
    )


def write_list(faces, path):
    """Writes a CSV list that `read_list` reads, with paths relative to the list's folder.

    Args:
        faces: `FaceSource` of known people, of any format.
        path: of the `.csv`; it is replaced in one step.

    Raises:
        KerasfaceError: the folder can't be written, or a name that is not UTF-8.

    Example:
        >>> write_list(open_faces("faces", min_images=5), "many.csv")
    """
    path = Path(path)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    whole = bool((faces.lengths == WHOLE).all())
    writer.writerow(["path", "label"] if whole else ["path", "label", "bytes"])
    files = _relative(faces.files, path.parent)
    for row, (file, label) in enumerate(zip(faces.file_of.tolist(), faces.labels.tolist(), strict=True)):
        spans = [] if faces.lengths[row] == WHOLE else [f"{offset}+{length}" for offset, length in faces.spans(row)]
        check_text_names([files[file], faces.names[label]])
        writer.writerow([files[file], faces.names[label], *([] if whole else [" ".join(spans)])])
    try:
        write_atomically(path, text.getvalue().encode(), mode=0o644)
    except OSError as error:
        raise KerasfaceError(f"can't write {path}: {error.strerror}.") from error


class _Sizes:
    """Sizes of the files that spans are cut from, asked for once each."""

    def __init__(self, files):
        self.files, self._known = files, {}

    def __getitem__(self, file):
        if file not in self._known:
            self._known[file] = os.stat(self.files[file]).st_size
        return self._known[file]


def _pieces(text, sizes, file, where):
    if not text.strip():
        return [(0, WHOLE)]
    pieces = []
    for word in text.split():
        found = _SPAN.fullmatch(word)
        if not found:
            raise KerasfaceError(f"{where}: bytes reads offset+length. Received: {word[:80]!r}")
        offset, length = map(int, found.groups())
        try:
            size = sizes[file]
        except OSError as error:
            raise KerasfaceError(f"{where}: no file {sizes.files[file]}: {error.strerror}") from error
        if not length or offset + length > size:
            raise KerasfaceError(f"{where}: the file has {size} bytes. Received: {length} bytes at {offset}")
        pieces.append((offset, length))
    return pieces


def _continued(path, places, further, texts):
    """The pieces behind the first, by (file, offset) of that: photos that begin at one place must have the same."""
    row_of: dict[tuple[int, int], int] = {}
    for row, more in enumerate(further):
        if more:
            row_of.setdefault(places[row], row)
    for row, place in enumerate(places):
        first = row_of.get(place, row)
        if further[row] != further[first]:
            raise KerasfaceError(
                f"{path}, line {row + 2}: this photo and that of line {first + 2} begin at one byte, and must have the "
                f"same pieces. Received: {texts[row]!r} and {texts[first]!r}. Was one of them cut short?"
            )
    return {place: further[row] for place, row in row_of.items()}


def _csv_rows(path):
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file, strict=True)
            _check_columns(path, reader.fieldnames or [])
            return [(row["path"] or "", row["label"] or "", row.get("bytes") or "") for row in reader]
    except OSError as error:
        raise KerasfaceError(f"no list {path}: {error.strerror}.") from error
    except (csv.Error, UnicodeDecodeError) as error:
        raise KerasfaceError(f"{path} is no CSV in UTF-8: {error}") from error


def _parquet_rows(path):
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError as error:
        raise KerasfaceError(
            f"{path} needs pyarrow: pip install 'kerasface[parquet]', or save the list as CSV."
        ) from error
    try:
        columns = pyarrow.parquet.read_schema(path).names
        _check_columns(path, columns)
        wanted = [name for name in ("path", "label", "bytes") if name in columns]
        table = pyarrow.parquet.read_table(path, columns=wanted, partitioning=None).to_pydict()
    except (OSError, pyarrow.ArrowException) as error:
        raise KerasfaceError(f"can't read {path} as Parquet: {error}") from error
    texts = [["" if value is None else str(value) for value in table[name]] for name in wanted]
    return list(zip(*texts, strict=True)) if len(texts) > 2 else [(*row, "") for row in zip(*texts, strict=True)]


def _check_columns(path, names):
    missing = {"path", "label"} - set(names)
    if missing:
        raise KerasfaceError(
            f"{path} has no column {' or '.join(sorted(missing))}: expected path and label. "
            f"Received: {', '.join(names)}"
        )


def _relative(files, folder):
    home = os.path.realpath(folder)
    if home != os.path.abspath(folder):
        # Out of a linked folder ".." leads to what is above the place that it is linked to: both sides as they lie.
        real = functools.cache(os.path.realpath)
        files = [os.path.join(real(os.path.dirname(file)), os.path.basename(file)) for file in files]
    return [_below(file, home) for file in files]


def _below(file, home):
    try:
        return Path(os.path.relpath(file, home)).as_posix()
    except ValueError:  # another drive of Windows
        return os.path.abspath(file)
