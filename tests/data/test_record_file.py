"""insightface's .rec and .idx: bytes as MXNet writes them, round trips, and files that lie."""

import struct

import numpy as np
import pytest

from kerasface.data import FaceSource, open_faces, read_folder, read_record_file, write_record_file
from kerasface.data.recordio import MAGIC
from kerasface.errors import KerasfaceError

WORD = struct.pack("<I", MAGIC)


def frame(content, flag=0):
    """One part as dmlc-core's recordio.h lays it out: magic, flag and length, bytes, padding."""
    return WORD + struct.pack("<I", flag << 29 | len(content)) + content + bytes(-len(content) % 4)


def header(flag=0, label=0.0, labels=(), key=0):
    return struct.pack("<IfQQ", flag, label, key, 0) + struct.pack(f"<{len(labels)}f", *labels)


def write(folder, *records, index=None):
    """A .rec of these framed records with the keys 0, 1, …"""
    (folder / "a.rec").write_bytes(b"".join(records))
    offsets = np.cumsum([0, *map(len, records)])[:-1].tolist()
    lines = "".join(f"{key}\t{offset}\n" for key, offset in enumerate(offsets))
    (folder / "a.idx").write_text(lines if index is None else index)
    return folder / "a.rec"


def image(label, content, key=0):
    return frame(header(label=label, key=key) + content)


def insightface_set(folder):
    """Two people with 2 + 1 images in the published layout: record 0, images, then the people's ranges."""
    return write(
        folder,
        frame(header(2, labels=(4, 6))),
        image(7, b"one"), image(7, b"two!"), image(9, b"three"),
        frame(header(2, labels=(1, 3))), frame(header(2, labels=(3, 4))),
    )  # fmt: skip


def contents(faces):
    return [photo.read_bytes() for photo in faces.photos]


def test_reads_the_published_layout(tmp_path):
    faces = read_record_file(insightface_set(tmp_path))
    assert contents(faces) == [b"one", b"two!", b"three"]
    assert faces.names == ("7", "9")
    np.testing.assert_array_equal(faces.labels, [0, 0, 1])


def test_a_header_without_ranges_still_says_how_many_images(tmp_path):
    path = write(tmp_path, frame(header(2, labels=(3, 3))), image(1, b"a"), image(0, b"b"), frame(b"something else"))
    faces = read_record_file(path)
    assert contents(faces) == [b"a", b"b"]
    np.testing.assert_array_equal(faces.labels, [1, 0])


def test_without_a_header_every_record_is_an_image(tmp_path):
    faces = read_record_file(write(tmp_path, image(10, b"a"), image(9, b"b"), image(10, b"c")))
    assert contents(faces) == [b"a", b"b", b"c"]
    assert faces.names == ("9", "10")  # by number, not as text


def test_several_labels_in_a_header_stand_before_the_image(tmp_path):
    record = frame(header(3, labels=(5, 0.25, -1)) + b"image")
    faces = read_record_file(write(tmp_path, image(0, b"first"), record))
    assert contents(faces) == [b"first", b"image"]
    assert faces.names == ("0", "5")


def test_a_record_in_parts_is_joined_by_the_words_left_out(tmp_path):
    # dmlc-core cuts where the magic word stands at a multiple of four, and leaves it out.
    start = header(label=2)
    parts = frame(start + b"four", 1) + frame(b"", 2) + frame(b"middle78", 2) + frame(b"end", 3)
    faces = read_record_file(write(tmp_path, image(1, b"x"), parts, image(3, b"y")))
    assert contents(faces) == [b"x", b"four" + WORD + WORD + b"middle78" + WORD + b"end", b"y"]
    assert contents(faces.take([1])) == contents(faces)[1:2]


@pytest.mark.parametrize(
    "content",
    [WORD, WORD * 3, b"abcd" + WORD, b"abcd" + WORD + b"e", b"a" + WORD + b"bcd" + WORD, b"ab" + WORD[:3], b"abc"],
)
def test_writes_parts_that_it_reads(content, tmp_path):
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(content)
    write_record_file(FaceSource.of_files(("a",), [0], [photo]), tmp_path / "a.rec")
    assert contents(read_record_file(tmp_path / "a.rec")) == [content]
    # Whoever looks for the next record by its magic word finds none inside of this one.
    words = np.frombuffer((tmp_path / "a.rec").read_bytes(), "<u4")
    positions, flags = np.flatnonzero(words == MAGIC), []
    for place in positions:
        flags.append(int(words[place + 1] >> 29))
    parts = 1 + sum(content[at : at + 4] == WORD for at in range(0, len(content), 4))
    assert flags == [0, *([0] if parts == 1 else [1, *[2] * (parts - 2), 3]), 0]


def test_writes_the_published_layout(faces_root, tmp_path):
    faces = read_folder(faces_root).take([13, 0, 5, 1])  # nobody's label is 1
    write_record_file(faces, tmp_path / "sub" / "a.rec")
    content = (tmp_path / "sub" / "a.rec").read_bytes()
    index = dict(map(int, line.split("\t")) for line in (tmp_path / "sub" / "a.idx").read_text().splitlines())
    assert list(index) == list(range(1 + 4 + 3))
    found = {}
    for key, offset in index.items():
        word, length = struct.unpack_from("<II", content, offset)
        flag, label, name, _ = struct.unpack_from("<IfQQ", content, offset + 8)
        assert (word, name) == (MAGIC, key)
        found[key] = struct.unpack_from(f"<{flag}f", content, offset + 32) if flag else (label, length - 24)
    expected = [
        faces_root / f"person_{label:04d}" / f"{row:05d}.png" for label, row in ((0, 0), (0, 1), (2, 5), (3, 13))
    ]
    assert found[0] == (5, 8)
    assert [found[key] for key in range(1, 5)] == [
        (label, path.stat().st_size) for label, path in zip((0, 0, 1, 2), expected, strict=True)
    ]
    assert [found[key] for key in range(5, 8)] == [(1, 3), (3, 4), (4, 5)]


def test_writing_refuses_what_is_there_and_leaves_nothing_behind(faces_root, tmp_path):
    faces = read_folder(faces_root)
    (tmp_path / "a.idx").write_text("mine")
    with pytest.raises(KerasfaceError, match=r"a\.idx exists"):
        write_record_file(faces, tmp_path / "a.rec")
    gone = FaceSource.of_files(("a",), [0, 0], [faces.files[0], tmp_path / "gone.png"])
    with pytest.raises(KerasfaceError, match=r"can't read .*gone\.png"):
        write_record_file(gone, tmp_path / "b.rec")
    with pytest.raises(KerasfaceError, match="known people only"):
        write_record_file(faces.with_photos(["x"]), tmp_path / "b.rec")
    with pytest.raises(KerasfaceError, match=r"can't write .*c\.rec"):
        write_record_file(faces, tmp_path / "a.idx" / "c.rec")
    assert [path.name for path in tmp_path.iterdir()] == ["a.idx"]
    assert (tmp_path / "a.idx").read_text() == "mine"


HUGE = struct.pack("<I", (1 << 29) - 1)


@pytest.mark.parametrize(
    ("records", "index", "message"),
    [
        ([image(0, b"abcd")[:-2]], None, r"cut short: the record at byte 0 has 28 bytes\. Received: 26"),
        ([WORD + HUGE + bytes(40)], None, "cut short: the record at byte 0 has 536870911 bytes"),
        ([image(0, b"abcd")], "0\t1000\n", "no record at byte 1000: the file has 36 bytes"),
        ([image(0, b"abcd")], "0\t-8\n", "no record at byte -8"),
        ([image(0, b"abcd")], f"0\t{2**63}\n", f"no record at byte {2**63}"),
        ([image(0, b"abcd")], "0\t4\n", "no record at byte 4: expected the magic word 0xced7230a"),
        ([frame(header() + b"ab", 1)], None, "a part at byte 0 is cut at 26 bytes, no multiple of 4"),
        ([frame(header(), 2)], None, r"part flag of 0 or 1\. Received: 0xced7230a and 2"),
        ([frame(header(), 1)], None, "no record at byte 32: the file has 32 bytes"),
        ([frame(header(), 1) + image(0, b"abcd")], None, r"part flag of 2 or 3\. Received: 0xced7230a and 0"),
        ([frame(b"tiny")], None, "record 0 of 4 bytes is shorter than its header, 24 bytes"),
        ([frame(header(2**32 - 1) + b"abcd")], None, "of 28 bytes is shorter than its header, 17179869204 bytes"),
        ([image(0, b"a"), image(0.5, b"b")], None, r"record 1 should be labelled with a whole number\. Received: 0\.5"),
        ([image(0, b"a"), image(-1, b"b")], None, r"record 1 .* Received: -1\.0"),
        ([image(0, b"a"), image(float("nan"), b"b")], None, "record 1 .* Received: nan"),
        ([image(0, b"a"), image(float("inf"), b"b")], None, "record 1 .* Received: inf"),
        ([image(0, b"a"), image(0, b"")], None, "record 1 holds no image"),
        ([frame(header(2, labels=(16e6, 16e6))), image(0, b"a")], None, r"the \.idx has no record 2"),
        ([frame(header(2, labels=(2, 3))), image(0, b"a")], None, r"the \.idx has no record 2"),
        ([frame(header(2, labels=(1, 1)))], None, "holds no images"),
        (
            [frame(header(2, labels=(2, 3))), image(0, b"a"), frame(header(2, labels=(1, 3)))],
            None, r"range of keys in \[1, 2\)\. Received: \(1\.0, 3\.0\)",
        ),
        (
            [frame(header(2, labels=(2, 4))), image(0, b"a"), *[frame(header(2, labels=(1, 2)))] * 2],
            None, "ranges of keys overlap",
        ),
        (
            [frame(header(2, labels=(3, 4))), image(4, b"a"), image(6, b"b"), frame(header(2, labels=(1, 3)))],
            None, "keys 1 to 2 are one person's .* labels are 4, 6",
        ),
        ([image(0, b"a")], "0 zero\n", "is no index"),
        ([image(0, b"a")], "0\t0\n1\n", "is no index"),
        ([image(0, b"a")], "", "is no index"),
        ([image(0, b"a")], "0\t" + "1" * 10_000, "is no index"),
        ([b""], None, "can't read"),
    ],
)  # fmt: skip
def test_a_file_that_lies_is_an_error(records, index, message, tmp_path):
    with pytest.raises(KerasfaceError, match=message):
        open_faces(write(tmp_path, *records, index=index))


def test_ranges_over_everything_are_not_counted_out(tmp_path):
    # Each of 64 people claims 16 million keys: counted out, eight gigabytes.
    people = [frame(header(2, labels=(1, 16e6))) for _ in range(64)]
    first = frame(header(2, labels=(16e6, 16e6 + 64)))
    index = "".join(f"{key}\t{len(first) + 40 * n}\n" for n, key in enumerate(range(16_000_000, 16_000_064)))
    path = write(tmp_path, first, *people, index="0\t0\n" + index)
    with pytest.raises(KerasfaceError, match="ranges of keys overlap"):
        read_record_file(path)


def test_one_range_over_everything_is_not_counted_out(tmp_path):
    records = [frame(header(2, labels=(16e6, 16e6 + 1))), frame(header(2, labels=(1, 16e6)))]
    path = write(tmp_path, *records, index=f"0\t0\n16000000\t{len(records[0])}\n")
    with pytest.raises(KerasfaceError, match=r"\.idx has no record 1"):
        read_record_file(path)


def test_a_missing_index_is_named(tmp_path):
    (tmp_path / "a.rec").write_bytes(image(0, b"a"))
    with pytest.raises(KerasfaceError, match=r"no index .*a\.idx.*No such file"):
        read_record_file(tmp_path / "a.rec")


def test_the_index_does_not_replace_the_records(faces_root, tmp_path):
    with pytest.raises(KerasfaceError, match="train.idx is the name of an index: name the .rec"):
        write_record_file(read_folder(faces_root), tmp_path / "train.idx")
    assert not list(tmp_path.iterdir())
