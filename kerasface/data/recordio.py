"""RecordIO, the framing of MXNet's `.rec` files: a magic word, a length, the bytes, padding to four.

A record whose bytes hold the magic word at a multiple of four is written in parts, each cut before that word and the
word left out, so that a reader that lost its place finds the next record; the parts' flags say first, middle, last.

Reference:
    dmlc-core, `include/dmlc/recordio.h`.
"""

import struct

from kerasface.errors import KerasfaceError

__all__ = ["MAGIC", "record_spans", "write_record"]

MAGIC = 0xCED7230A
_MAGIC_BYTES = struct.pack("<I", MAGIC)
_HEAD = struct.Struct("<II")
_LENGTH_BITS = 29
_MAX_LENGTH = (1 << _LENGTH_BITS) - 1
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)


def record_spans(content, start, path):
    """Finds the bytes of one record.

    Args:
        content: the file, a buffer such as a memory map.
        start: where the record begins.
        path: of the file, for messages.

    Returns:
        list of (offset, length): pieces of the file that, joined, are the record. The word that a cut left out is the
        magic word of the part behind it, so every piece but the last reaches over that.

    Raises:
        KerasfaceError: no record there, or one that reaches past the end of the file.
    """
    spans = []
    flag = None
    while flag not in (_WHOLE, _LAST):
        expected = (_WHOLE, _FIRST) if flag is None else (_MIDDLE, _LAST)
        if not 0 <= start <= len(content) - _HEAD.size:
            raise KerasfaceError(
                f"{path} has no record at byte {start}: the file has {len(content)} bytes. Is it cut short, or does "
                "the .idx belong to another .rec?"
            )
        magic, word = _HEAD.unpack_from(content, start)
        flag, length = word >> _LENGTH_BITS, word & _MAX_LENGTH
        if magic != MAGIC or flag not in expected:
            raise KerasfaceError(
                f"{path} has no record at byte {start}: expected the magic word {MAGIC:#x} and a part flag of "
                f"{' or '.join(map(str, expected))}. Received: {magic:#x} and {flag}. Is the file damaged, or does the "
                ".idx belong to another .rec?"
            )
        offset = start + _HEAD.size
        if length > len(content) - offset:
            raise KerasfaceError(
                f"{path} is cut short: the record at byte {start} has {length} bytes. Received: "
                f"{len(content) - offset} until the end of the file. Copy it again."
            )
        cut = flag in (_FIRST, _MIDDLE)
        if cut and length % 4:
            raise KerasfaceError(
                f"{path} is damaged: a part at byte {start} is cut at {length} bytes, no multiple of 4."
            )
        spans.append((offset, length + (len(_MAGIC_BYTES) if cut else 0)))
        start = offset + length + -length % 4
    return spans


def write_record(file, content):
    """Appends one record to a binary file.

    Args:
        file: opened for writing.
        content: bytes, less than 512 MiB.

    Returns:
        number of bytes written.

    Raises:
        ValueError: too long a record.
    """
    if len(content) > _MAX_LENGTH:
        raise ValueError(f"a record has at most {_MAX_LENGTH} bytes. Received: {len(content)}")
    parts = _cut(content)
    written = 0
    for number, part in enumerate(parts):
        flag = _MIDDLE
        if number == 0:
            flag = _FIRST if len(parts) > 1 else _WHOLE
        elif number == len(parts) - 1:
            flag = _LAST
        padding = bytes(-len(part) % 4)
        written += file.write(_HEAD.pack(MAGIC, flag << _LENGTH_BITS | len(part)) + part + padding)
    return written


def _cut(content):
    """The parts between the magic words that stand at multiples of four."""
    parts, begin, search = [], 0, 0
    while (place := content.find(_MAGIC_BYTES, search)) >= 0:
        search = place + 1
        if place % 4 == 0:
            parts.append(content[begin:place])
            begin = search = place + 4
    return [*parts, content[begin:]]
