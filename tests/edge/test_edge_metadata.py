import contextlib
import struct

import numpy as np
import pytest

from kerasface.edge.flatbuffer import tflite_metadata
from kerasface.edge.metadata import read_spec, sidecar_path
from kerasface.errors import KerasfaceError
from kerasface.spec import SPEC_KEY, Threshold


def test_tflite_metadata_is_what_the_schemas_writer_put_in(make, bare_tflite):
    entries = {SPEC_KEY: '{"größe": 112}'.encode(), "other": bytes(range(256)), "empty": b""}
    found = tflite_metadata(make.with_tflite_metadata(bare_tflite, entries))
    assert {name: found[name] for name in entries} == entries
    assert SPEC_KEY not in tflite_metadata(bare_tflite)


def test_tflite_metadata_of_damaged_files_is_an_error_never_a_crash(make, bare_tflite, spec, rng):
    content = make.with_tflite_metadata(bare_tflite, {SPEC_KEY: spec.to_json().encode()})
    for length in [*range(64), *rng.integers(64, len(content), 200)]:
        with contextlib.suppress(ValueError):
            tflite_metadata(content[:length])
    for _ in range(500):
        damaged = bytearray(content)
        for position in rng.integers(0, len(content), 20):
            damaged[position] = rng.integers(256)
        with contextlib.suppress(ValueError):
            tflite_metadata(bytes(damaged))
    with pytest.raises(ValueError, match=r"not a whole TFLite file.*Received: 64 bytes"):
        tflite_metadata(content[:64])


@pytest.mark.parametrize("offset", [-(2**31), -1000, 2**31 - 1])
def test_tflite_metadata_follows_no_offset_out_of_the_file(make, bare_tflite, offset):
    content = bytearray(make.with_tflite_metadata(bare_tflite, {"entry": b"0123456789"}))
    # The length that stands before the entry's bytes.
    damaged = content.copy()
    start = content.find(b"0123456789")
    struct.pack_into("<i", damaged, start - 4, offset)
    with pytest.raises(ValueError, match="outside the file"):
        tflite_metadata(bytes(damaged))
    # The root table's offset back to its vtable.
    (root,) = struct.unpack_from("<I", content)
    struct.pack_into("<i", content, root, abs(offset) % len(content) + root)
    with pytest.raises(ValueError, match="not a whole TFLite file"):
        tflite_metadata(bytes(content))


def test_the_spec_is_read_from_inside(tmp_path, spec):
    assert read_spec({SPEC_KEY: spec.to_json().encode()}, b"model", tmp_path / "m.tflite") == spec


def test_the_sidecars_spec_wins_and_serves_alone(tmp_path, make, spec):
    path = tmp_path / "m.tflite"
    calibrated = spec.replace(thresholds=(Threshold(0.61, 1e-3, "other", "int8", 5000),))
    make.write_sidecar(path, b"model", calibrated)
    assert sidecar_path(path).name == "m.tflite.json"
    assert read_spec({SPEC_KEY: spec.to_json().encode()}, b"model", path) == calibrated
    assert read_spec({}, b"model", path) == calibrated


def test_a_sidecar_of_another_file_is_refused(tmp_path, make, spec):
    path = tmp_path / "m.tflite"
    make.write_sidecar(path, b"model", spec)
    with pytest.raises(KerasfaceError, match=r"not the file that m\.tflite\.json was written for.*Expected sha256"):
        read_spec({SPEC_KEY: spec.to_json().encode()}, b"modem", path)


def test_a_sidecar_of_another_model_is_refused(tmp_path, make, spec):
    path = tmp_path / "m.tflite"
    make.write_sidecar(path, b"model", spec.replace(embedder_id="ffff"))
    with pytest.raises(KerasfaceError, match="embedder ffff, but the file itself of a1b2"):
        read_spec({SPEC_KEY: spec.to_json().encode()}, b"model", path)


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"sha256": "x"}', "\x00"])
def test_a_sidecar_that_is_none_is_refused(tmp_path, text):
    path = tmp_path / "m.tflite"
    sidecar_path(path).write_text(text)
    with pytest.raises(KerasfaceError, match="no sidecar of a model"):
        read_spec({}, b"model", path)


def test_another_users_sidecar_is_refused(tmp_path, monkeypatch):
    def forbidden(path, *args, **kwargs):
        raise PermissionError(13, "Permission denied", str(path))

    sidecar_path(tmp_path / "m.tflite").write_text("{}")
    monkeypatch.setattr("pathlib.Path.read_text", forbidden)
    with pytest.raises(KerasfaceError, match=r"can't read .*m\.tflite\.json: Permission denied"):
        read_spec({}, b"model", tmp_path / "m.tflite")


def test_no_spec_anywhere_names_the_way_out(tmp_path):
    with pytest.raises(KerasfaceError, match=r"carries no EmbedderSpec.*kerasface export.*kerasface zoo import"):
        read_spec({"other": b""}, b"model", tmp_path / "m.tflite")


def test_an_unreadable_spec_is_an_error(tmp_path):
    for entry in (b"\xff\xfe", b"{}", b'{"format": 99}'):
        with pytest.raises(KerasfaceError, match=r"the spec in .*m\.tflite can't be read"):
            read_spec({SPEC_KEY: entry}, b"model", tmp_path / "m.tflite")


def test_a_spec_with_its_thresholds_survives_the_file(make, bare_tflite, spec):
    content = make.with_tflite_metadata(bare_tflite, {SPEC_KEY: spec.to_json().encode()})
    assert read_spec(tflite_metadata(content), content, "m.tflite") == spec
    assert np.isclose(spec.thresholds[0].far, 1e-2)
