"""insightface's verification sets, `.bin`: a pickle that is read without unpickling.

The file holds the pair (images, same): a list of 2·P encoded images, those of pair p at 2p and 2p + 1, and a list of P
bools. Unpickling would run what the file says; here its operations are gone through one by one, and all that they can
make is lists, tuples, bytes and bools.

Reference:
    insightface, `recognition/arcface_torch/eval/verification.py`, load_bin; the operations: CPython, `pickletools`.
"""

import io
import pickle
import pickletools
from pathlib import Path

from kerasface.data.drafts import draft_files
from kerasface.edge.images import EncodedImage
from kerasface.errors import KerasfaceError

__all__ = ["read_verification_bin", "write_verification_bin"]

_PROTOCOL = 4


def read_verification_bin(path):
    """Reads a verification set.

    Pickles of Python 2's protocols 1 and 2 and of Python 3's protocols 3 to 5 are read. Refused are the textual
    protocol 0, Python 3's protocols 1 and 2, and sets whose images are NumPy arrays: the pickles of the last two name
    functions to call, such as `_codecs.encode`.

    Args:
        path: of the `.bin`.

    Returns:
        images, a list of 2·P `EncodedImage` that `represent` takes as they are, and same, P bools.

    Raises:
        KerasfaceError: no such file, not such a pickle, one that asks for anything to be run or imported, or lists
            that don't fit together.

    Example:
        >>> images, same = read_verification_bin("lfw.bin")
        >>> len(images), len(same)
        (12000, 6000)
    """
    path = Path(path)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise KerasfaceError(f"no verification set {path}: {error.strerror}.") from error
    found = _Machine(path).run(content)
    if not (isinstance(found, tuple | list) and len(found) == 2 and all(isinstance(part, list) for part in found)):
        raise KerasfaceError(f"{path} is no verification set: expected a pair of lists. Received: {_kind(found)}")
    images, same = found
    if not all(isinstance(image, bytes) for image in images) or not all(isinstance(flag, bool) for flag in same):
        kinds = sorted({*map(_kind, images)}), sorted({*map(_kind, same)})
        raise KerasfaceError(f"{path}: expected a list of bytes and one of bools. Received: {kinds[0]} and {kinds[1]}")
    if not same or len(images) != 2 * len(same):
        raise KerasfaceError(
            f"{path}: expected two images a pair. Received: {len(images)} images and {len(same)} pairs. Is it cut "
            "short?"
        )
    return [EncodedImage(image, f"{path}, image {row}") for row, image in enumerate(images)], same


def write_verification_bin(images, same, path):
    """Writes a verification set as insightface's own tools read it.

    Args:
        images: 2·P encoded images, bytes.
        same: P bools.
        path: of the file to write.

    Raises:
        ValueError: lists that don't fit together, or of other things.

    Example:
        >>> write_verification_bin([photo.read_bytes() for photo in photos], pairs.same, "team.bin")
    """
    images, same = list(images), [bool(flag) for flag in same]
    if not same or len(images) != 2 * len(same) or not all(isinstance(image, bytes) for image in images):
        raise ValueError(f"expected two encoded images a pair. Received: {len(images)} images and {len(same)} pairs")
    with draft_files(path) as (file,):
        pickle.dump((images, same), file, protocol=_PROTOCOL)


class _Machine:
    """Pickle's stack machine without the operations that import, call or build objects."""

    def __init__(self, path):
        self.path = path
        self.stack, self.memo = [], {}

    def run(self, content):
        try:
            # genops reads an operation's bytes from what is there: a length beyond the end allocates nothing.
            for operation, argument, position in pickletools.genops(io.BytesIO(content)):
                self._do(operation.name, argument, position)
            (found,) = self.stack
        except (ValueError, IndexError, KeyError, AttributeError, TypeError) as error:
            raise KerasfaceError(
                f"{self.path} is no verification set, or cut short: {type(error).__name__}: {error}."
            ) from error
        return found

    def _do(self, name, argument, position):
        if name in ("PROTO", "FRAME", "STOP"):
            return
        if name in _PUTS:
            self.memo[len(self.memo) if name == "MEMOIZE" else argument] = self.stack[-1]
        elif name in _APPENDS:
            items = [self._pop()] if name == "APPEND" else self._to_mark()
            if not isinstance(self.stack[-1], list):
                raise TypeError(f"{name} to a {_kind(self.stack[-1])} at byte {position}")
            self.stack[-1].extend(items)
        elif name in _PUSHES and not (name == "INT" and not isinstance(argument, bool)):
            self.stack.append(_PUSHES[name](self, argument))
        else:
            asked = f"{name} {argument}" if argument is not None else name
            raise KerasfaceError(
                f"{self.path} is a pickle that holds more than lists, bytes and bools: at byte {position} it asks for "
                f"{asked[:100]}. Nothing of it was run. Let the program that made it, if you trust that, save it again "
                "with write_verification_bin of kerasface.data: images as encoded bytes, answers as True and False."
            )

    def _pop(self):
        item = self.stack.pop()
        if item is _MARK:
            raise ValueError("a mark where a value should be")
        return item

    def _to_mark(self):
        items = []
        while (item := self.stack.pop()) is not _MARK:
            items.append(item)
        return items[::-1]

    def _tuple(self, count):
        return tuple(reversed([self._pop() for _ in range(count)]))


_MARK = object()
_PUTS = ("BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE")
_APPENDS = ("APPEND", "APPENDS")
# Everything that puts a value onto the stack, as functions of the machine and the operation's argument.
_PUSHES = {
    **dict.fromkeys(("BINBYTES", "SHORT_BINBYTES", "BINBYTES8"), lambda machine, content: content),
    # Python 2's str; pickletools shows each byte as a letter.
    **dict.fromkeys(("BINSTRING", "SHORT_BINSTRING"), lambda machine, text: text.encode("latin-1")),
    **dict.fromkeys(("BINGET", "LONG_BINGET", "GET"), lambda machine, place: machine.memo[place]),
    "NEWTRUE": lambda machine, _: True,
    "NEWFALSE": lambda machine, _: False,
    "INT": lambda machine, flag: flag,  # protocol 1 writes True as the integer 01, which pickletools tells from 1
    "MARK": lambda machine, _: _MARK,
    "EMPTY_LIST": lambda machine, _: [],
    "EMPTY_TUPLE": lambda machine, _: (),
    "LIST": lambda machine, _: machine._to_mark(),
    "TUPLE": lambda machine, _: tuple(machine._to_mark()),
    "TUPLE1": lambda machine, _: machine._tuple(1),
    "TUPLE2": lambda machine, _: machine._tuple(2),
    "TUPLE3": lambda machine, _: machine._tuple(3),
}


def _kind(value):
    return type(value).__name__
