"""insightface's .bin: pickles of every make are read, and none is run."""

import pickle
import pickletools
import struct
import subprocess
import sys

import numpy as np
import pytest

from kerasface.data import read_verification_bin, write_verification_bin
from kerasface.errors import KerasfaceError
from kerasface.evaluation import represent
from tests.data.conftest import png

IMAGES = [b"\xff\xd8 first", b"\x00\x80\xff" * 100, b"", b"x" * 300, b"\xff\xd8 first", b"last"]
SAME = [True, False, True]


def read(path):
    images, same = read_verification_bin(path)
    return [image.read_bytes() for image in images], same


@pytest.mark.parametrize("protocol", [3, 4, 5])
@pytest.mark.parametrize("pair", [tuple, list])
def test_reads_what_python_3_pickled(protocol, pair, tmp_path):
    (tmp_path / "a.bin").write_bytes(pickle.dumps(pair([IMAGES, SAME]), protocol=protocol))
    assert read(tmp_path / "a.bin") == (IMAGES, SAME)


@pytest.mark.parametrize("protocol", [0, 1, 2])
def test_older_protocols_of_python_3_are_refused(protocol, tmp_path):
    (tmp_path / "a.bin").write_bytes(pickle.dumps((IMAGES, SAME), protocol=protocol))
    with pytest.raises(KerasfaceError, match="GLOBAL _codecs encode. Nothing of it was run.* write_verification_bin"):
        read_verification_bin(tmp_path / "a.bin")


# What CPython 2.7's cPickle writes for ([b"a\xff", b"b" * 300], [True]), by its protocols' operations.
PYTHON_2 = {
    1: b"(](U\x02a\xffT\x2c\x01\x00\x00" + b"b" * 300 + b"e]I01\nat.",
    2: b"\x80\x02]q\x00(U\x02a\xffT\x2c\x01\x00\x00" + b"b" * 300 + b"e]q\x01\x88a\x86q\x02.",
}


@pytest.mark.parametrize("protocol", PYTHON_2)
def test_reads_what_python_2_pickled(protocol, tmp_path):
    content = PYTHON_2[protocol]
    assert pickle.loads(content, encoding="bytes") == ([b"a\xff", b"b" * 300], [True])
    (tmp_path / "a.bin").write_bytes(content)
    assert read(tmp_path / "a.bin") == ([b"a\xff", b"b" * 300], [True])


def test_what_is_written_is_read_here_and_by_pickle(tmp_path):
    write_verification_bin(IMAGES, np.array(SAME), tmp_path / "a.bin")
    assert read(tmp_path / "a.bin") == (IMAGES, SAME)
    images, same = pickle.loads((tmp_path / "a.bin").read_bytes(), encoding="bytes")  # as insightface does
    assert (images, same) == (IMAGES, SAME)
    with pytest.raises(ValueError, match=r"Received: 5 images and 3 pairs"):
        write_verification_bin(IMAGES[:5], SAME, tmp_path / "b.bin")
    with pytest.raises(ValueError, match="two encoded images a pair"):
        write_verification_bin(["text"] * 6, SAME, tmp_path / "b.bin")
    assert [path.name for path in tmp_path.iterdir()] == ["a.bin"]


def test_represent_takes_the_images_as_they_are(tmp_path):
    write_verification_bin([png(10), png(200)], [False], tmp_path / "a.bin")
    images, _ = read_verification_bin(tmp_path / "a.bin")
    seen = []
    represent(lambda batch: seen.append(batch) or np.ones((len(batch), 2)), images)
    assert [int(pixels.max()) for pixels in seen[0]] == [10, 200]
    write_verification_bin([png(10), b"GIF89a"], [False], tmp_path / "b.bin")
    with pytest.raises(KerasfaceError, match=r"b\.bin, image 1"):
        represent(lambda batch: np.ones((len(batch), 2)), read_verification_bin(tmp_path / "b.bin")[0])


class Runs:
    """Pickled, this asks for a command to be run."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        import os

        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("place", ["top", "image", "flag"])
def test_nothing_is_run(protocol, place, tmp_path):
    mark = tmp_path / "ran"
    bomb = Runs(mark)
    content = pickle.dumps(
        {"top": bomb, "image": ([bomb, b"x"], [True]), "flag": ([b"x", b"x"], [bomb])}[place], protocol
    )
    (tmp_path / "a.bin").write_bytes(content)
    with pytest.raises(
        KerasfaceError, match="more than lists, bytes and bools: at byte .* it asks for .*Nothing of it was run"
    ):
        read_verification_bin(tmp_path / "a.bin")
    assert not mark.exists()
    pickle.loads(content)  # it would have been
    assert mark.exists()


HOSTILE = {
    "numpy": pickle.dumps(([np.zeros(3, np.uint8)] * 2, [True])),
    "instance": b"(S'x'\nios\nsystem\n.",
    "object": b"(cos\nsystem\nS'x'\no.",
    "persistent": b"Pid\n.",
    "extension": b"\x80\x02\x82\x01.",
    "dictionary": pickle.dumps(({}, [])),
    "text": pickle.dumps((["a", "b"], [True])),
    "integer flag": pickle.dumps(([b"a", b"b"], [1])),
    "out of band": b"\x80\x05\x97.",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_other_operations_are_refused_by_name(name, tmp_path):
    (tmp_path / "a.bin").write_bytes(HOSTILE[name])
    with pytest.raises(KerasfaceError, match="more than lists, bytes and bools"):
        read_verification_bin(tmp_path / "a.bin")


WHOLE = pickle.dumps((IMAGES, SAME), protocol=4)
MALFORMED = {
    "empty": b"",
    "no pickle": b"\xff\xd8\xff\xe0",
    "cut": WHOLE[:-200],
    "cut before its end": WHOLE[:-1],
    "nothing": b".",
    "one list": pickle.dumps([IMAGES]),
    "three lists": pickle.dumps((IMAGES, SAME, [])),
    "bytes for lists": pickle.dumps((b"", b"")),
    "nested": pickle.dumps(([IMAGES], [True])),
    "bools for images": pickle.dumps(([True, True], [True])),
    "images for bools": pickle.dumps(([b"a", b"b"], [b"c"])),
    "too few images": pickle.dumps((IMAGES[:-1], SAME)),
    "no pairs": pickle.dumps(([], [])),
    "append to bytes": b"C\x01aC\x01ba.",
    "appends without a mark": b"]C\x01ae.",
    "a mark as a value": b"((\x85.",
    "two values left": b"]].",
    "memo of nothing": b"q\x00.",
    "unknown memo": b"h\x07.",
}


@pytest.mark.parametrize("name", MALFORMED)
def test_what_is_no_verification_set_says_so(name, tmp_path):
    (tmp_path / "a.bin").write_bytes(MALFORMED[name])
    with pytest.raises(KerasfaceError, match=r"a\.bin"):
        read_verification_bin(tmp_path / "a.bin")


def test_every_operation_that_builds_more_is_refused(tmp_path):
    allowed = {operation.name for operation in pickletools.opcodes}
    allowed &= {
        "PROTO", "FRAME", "STOP", "MARK", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BINSTRING", "SHORT_BINSTRING",
        "NEWTRUE", "NEWFALSE", "INT", "EMPTY_LIST", "EMPTY_TUPLE", "LIST", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3",
        "APPEND", "APPENDS", "BINPUT", "LONG_BINPUT", "PUT", "MEMOIZE", "BINGET", "LONG_BINGET", "GET",
    }  # fmt: skip
    from kerasface.data import verification_bin as module

    assert {*module._PUSHES, *module._PUTS, *module._APPENDS, "PROTO", "FRAME", "STOP"} == allowed


def test_promised_gigabytes_are_not_allocated(tmp_path):
    bombs = {
        "long bytes": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40),
        "four gigabytes": b"B" + b"\xff" * 4,
        "memo": b"]r" + b"\xff" * 4 + b".",
        "frame": b"\x80\x04\x95" + struct.pack("<Q", 1 << 62),
    }
    for name, content in bombs.items():
        (tmp_path / f"{name}.bin").write_bytes(content)
    code = (
        "import resource, sys; resource.setrlimit(resource.RLIMIT_AS, (2 << 30, 2 << 30))\n"
        "from kerasface.data import read_verification_bin\nfrom kerasface.errors import KerasfaceError\n"
        "for path in sys.argv[1:]:\n    try:\n        read_verification_bin(path)\n"
        "    except KerasfaceError:\n        print('refused')\n"
    )
    paths = map(str, tmp_path.glob("*.bin"))
    done = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["refused"] * 4


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(KerasfaceError, match=r"no verification set .*a\.bin: No such file"):
        read_verification_bin(tmp_path / "a.bin")
