"""The metadata of a TFLite file, read from its FlatBuffers tables with bounds checked.

LiteRT's interpreter doesn't show it, its generated schema isn't part of its documented API, and tflite-runtime has
none.
"""

import struct

__all__ = ["tflite_metadata"]

# Field numbers in tensorflow/compiler/mlir/lite/schema/schema.fbs.
_MODEL_BUFFERS, _MODEL_METADATA = 4, 6
_METADATA_NAME, _METADATA_BUFFER = 0, 1
_BUFFER_DATA, _BUFFER_OFFSET, _BUFFER_SIZE = 0, 1, 2


def tflite_metadata(content):
    """Reads the named metadata buffers of a TFLite model.

    Args:
        content: the file's bytes.

    Returns:
        dict of name to bytes; empty where the file has none.

    Raises:
        ValueError: an offset points outside the file.

    Reference:
        https://flatbuffers.dev/internals: offsets are relative to where they stand, little-endian.
    """
    try:
        model = _follow(content, 0)
        buffers = _tables(content, model, _MODEL_BUFFERS)
        entries = {}
        for entry in _tables(content, model, _MODEL_METADATA):
            name = _vector(content, _field(content, entry, _METADATA_NAME))
            number = _field(content, entry, _METADATA_BUFFER)
            # FlatBuffers leaves a field out that has its default, here 0.
            index = _unsigned(content, number) if number else 0
            entries[bytes(name).decode("utf-8", "replace")] = _buffer(content, buffers[index])
        return entries
    except (struct.error, IndexError) as error:
        raise ValueError(f"not a whole TFLite file: {error}. Received: {len(content)} bytes") from error


def _buffer(content, table):
    position = _field(content, table, _BUFFER_DATA)
    if position:
        return bytes(_vector(content, position))
    # Files over 2 GB keep their data behind the tables, by absolute offset and size.
    offset, size = (_field(content, table, field) for field in (_BUFFER_OFFSET, _BUFFER_SIZE))
    if not (offset and size):
        return b""
    start, length = (struct.unpack_from("<Q", content, field)[0] for field in (offset, size))
    return bytes(_slice(content, start, length))


def _field(content, table, number):
    """Returns where a table's field stands, or 0 when the table leaves it out."""
    vtable = table - struct.unpack_from("<i", content, table)[0]
    if vtable < 0:
        raise IndexError(f"table at {table} points outside the file")
    slot = 4 + 2 * number
    if slot >= struct.unpack_from("<H", content, vtable)[0]:
        return 0
    offset = struct.unpack_from("<H", content, vtable + slot)[0]
    return table + offset if offset else 0


def _tables(content, table, number):
    position = _field(content, table, number)
    if not position:
        return []
    start = _follow(content, position)
    count = _unsigned(content, start)
    _slice(content, start + 4, 4 * count)
    return [_follow(content, start + 4 + 4 * i) for i in range(count)]


def _vector(content, position):
    start = _follow(content, position)
    return _slice(content, start + 4, _unsigned(content, start))


def _slice(content, start, length):
    if start + length > len(content):
        raise IndexError(f"{length} bytes at {start} point outside the file")
    return memoryview(content)[start : start + length]


def _follow(content, position):
    return position + _unsigned(content, position)


def _unsigned(content, position):
    return struct.unpack_from("<I", content, position)[0]
