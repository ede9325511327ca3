import hashlib
import json
import os

import flatbuffers
import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from kerasface.edge import Embedder
from kerasface.edge.metadata import sidecar_path
from kerasface.errors import KerasfaceError
from kerasface.export.metadata import onnx_with_spec, tflite_with_spec, write_sidecar, write_spec
from kerasface.export.quantization import quantize_dynamically
from kerasface.export.stripping import strip
from kerasface.export.tflite import converted
from kerasface.spec import SPEC_KEY, EmbedderSpec, Threshold


@pytest.fixture(scope="module", params=["fp32", "fp16", "int8"])
def raw(request, model):
    """What the converter and the quantizer alone give."""
    if request.param == "int8":
        return quantize_dynamically(converted(strip(model), "fp32"))
    return converted(strip(model), request.param)


def specs_in(content):
    model = schema.Model.GetRootAsModel(content, 0)
    entries = [model.Metadata(i) for i in range(model.MetadataLength())]
    texts = [model.Buffers(e.Buffer()).DataAsNumpy().tobytes() for e in entries if e.Name() == SPEC_KEY.encode()]
    return [EmbedderSpec.from_json(text.decode()) for text in texts]


def constants(content):
    model = schema.Model.GetRootAsModel(content, 0)
    buffers = [model.Buffers(i) for i in range(model.BuffersLength())]
    return [b.DataAsNumpy() for b in buffers if b.DataLength()]


def answers(content, images):
    run = Interpreter(model_content=content).get_signature_runner()
    return np.concatenate([run(image=image[None])["embedding"] for image in images])


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8", "int8-full"])
def test_the_spec_stands_in_the_tflite_file(exported, spec, precision):
    assert specs_in(exported["tflite", precision][0].read_bytes()) == [spec]


def test_the_spec_stands_in_the_onnx_file(exported, spec):
    properties = {p.key: p.value for p in onnx.load(exported["onnx", "fp32"][0]).metadata_props}
    assert EmbedderSpec.from_json(properties[SPEC_KEY]) == spec


def test_the_sidecar_tells_the_files_hash_and_the_spec(exported, spec):
    for path, report in exported.values():
        sidecar = json.loads(sidecar_path(path).read_text())
        assert sidecar["file"] == path.name
        assert sidecar["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest() == report.sha256
        assert sidecar["bytes"] == path.stat().st_size == report.bytes
        assert EmbedderSpec.from_json(json.dumps(sidecar["spec"])) == spec


def test_rewriting_changes_no_bit_of_the_answers(raw, spec, images):
    np.testing.assert_array_equal(answers(tflite_with_spec(raw, spec), images[:8]), answers(raw, images[:8]))


def test_rewriting_keeps_the_converters_own_metadata_and_constants(raw, spec):
    rewritten = tflite_with_spec(raw, spec)
    before, after = constants(raw), constants(rewritten)
    assert [a.tobytes() for a in after[: len(before)]] == [b.tobytes() for b in before]
    names = [e.name for e in schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(rewritten, 0)).metadata]
    assert b"min_runtime_version" in names


def test_constants_stay_aligned_to_16_bytes(raw, spec):
    rewritten = tflite_with_spec(raw, spec)
    start = np.frombuffer(rewritten, np.uint8).ctypes.data
    assert {(constant.ctypes.data - start) % 16 for constant in constants(rewritten)} == {0}


def test_weights_that_lie_behind_the_tables_are_taken_along(raw, spec, images):
    # As ai-edge-quantizer writes all but the smallest files.
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(raw, 0))
    largest = max(model.buffers, key=lambda buffer: np.size(buffer.data))
    data, largest.data = bytes(largest.data), None
    largest.size, largest.offset = len(data), 1
    for _ in range(2):  # once for the length of the tables, once with it
        builder = flatbuffers.Builder(len(raw))
        builder.Finish(model.Pack(builder), b"TFL3")
        tables = bytes(builder.Output())
        largest.offset = len(tables) + -len(tables) % 16
    moved = tables.ljust(largest.offset, b"\0") + data
    np.testing.assert_array_equal(answers(moved, images[:4]), answers(raw, images[:4]))
    np.testing.assert_array_equal(answers(tflite_with_spec(moved, spec), images[:4]), answers(raw, images[:4]))


def test_a_second_spec_takes_the_firsts_place(raw, spec):
    calibrated = spec.replace(thresholds=(Threshold(0.31, 1e-3, "lfw", "fp16", 3000),))
    assert specs_in(tflite_with_spec(tflite_with_spec(raw, spec), calibrated)) == [calibrated]


def test_an_onnx_file_keeps_its_other_properties(exported, spec):
    proto = onnx.load(exported["onnx", "fp32"][0])
    onnx.helper.set_model_props(proto, {"author": "someone", SPEC_KEY: "old"})
    again = onnx.load_from_string(onnx_with_spec(proto.SerializeToString(), spec))
    assert {p.key: p.value for p in again.metadata_props} == {"author": "someone", SPEC_KEY: spec.to_json()}


@pytest.mark.parametrize("kind", [("tflite", "fp16"), ("tflite", "int8"), ("onnx", "fp32")], ids=" ".join)
def test_new_thresholds_go_into_the_file_and_its_sidecar(exported, spec, images, kind, tmp_path):
    path = tmp_path / exported[kind][0].name
    path.write_bytes(exported[kind][0].read_bytes())
    path.chmod(0o640)
    sidecar_path(path).write_text(sidecar_path(exported[kind][0]).read_text())
    before = Embedder.load(path).embed(images[:4])
    calibrated = spec.replace(thresholds=(Threshold(0.31, 1e-3, "staff", kind[1], 3000),))
    write_spec(path, calibrated)
    assert path.stat().st_mode & 0o777 == 0o640
    embedder = Embedder.load(path)
    assert embedder.spec == calibrated
    np.testing.assert_array_equal(embedder.embed(images[:4]), before)
    sidecar_path(path).unlink()
    assert Embedder.load(path).spec == calibrated


@pytest.fixture
def calibrated_file(exported, spec, tmp_path):
    """A file whose sidecar has a threshold that the file itself has not."""
    path = tmp_path / "face.tflite"
    path.write_bytes(exported["tflite", "fp16"][0].read_bytes())
    write_sidecar(path, spec.replace(thresholds=(Threshold(0.4, 1e-2, "door", "fp16", 3000),)))
    return path


@pytest.mark.parametrize("call", [0, 1, 2, 3], ids=lambda call: f"write {call}")
@pytest.mark.parametrize("name", ["os.fsync", "os.replace"])
def test_whatever_fails_the_old_thresholds_stay(calibrated_file, spec, monkeypatch, name, call):
    before = Embedder.load(calibrated_file).spec
    kept, calls = getattr(os, name.split(".")[1]), []

    def full(*arguments):
        calls.append(arguments)
        if len(calls) - 1 == call:
            raise OSError(28, "No space left on device")
        return kept(*arguments)

    monkeypatch.setattr(f"kerasface.edge.atomic.{name}", full)
    new = spec.replace(thresholds=(Threshold(0.31, 1e-3, "staff", "fp16", 3000),))
    failed = False
    try:
        write_spec(calibrated_file, new)
    except OSError:
        failed = True
    monkeypatch.undo()
    assert failed == (call < len(calls))
    assert Embedder.load(calibrated_file).spec == (before if failed else new)
    assert sorted(calibrated_file.parent.iterdir()) == [calibrated_file, sidecar_path(calibrated_file)]


def test_a_file_that_is_held_open_stays_with_its_sidecar(calibrated_file, spec, monkeypatch):
    before = Embedder.load(calibrated_file).spec

    def held(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(calibrated_file), "replace", held)
    with pytest.raises(PermissionError):
        write_spec(calibrated_file, spec)
    monkeypatch.undo()
    assert Embedder.load(calibrated_file).spec == before
    assert sorted(calibrated_file.parent.iterdir()) == [calibrated_file, sidecar_path(calibrated_file)]


@pytest.mark.parametrize("kind", [("tflite", "fp16"), ("onnx", "fp32")], ids=" ".join)
def test_another_embedders_spec_is_refused(exported, spec, kind, tmp_path):
    path = tmp_path / exported[kind][0].name
    path.write_bytes(exported[kind][0].read_bytes())
    with pytest.raises(KerasfaceError, match="Received: the spec of ffff"):
        write_spec(path, spec.replace(embedder_id="ffff"))


def test_a_keras_file_has_its_sidecar_alone(spec, tmp_path):
    path = tmp_path / "best.keras"
    path.write_bytes(b"PK\x03\x04 and so on")
    write_spec(path, spec)
    assert path.read_bytes() == b"PK\x03\x04 and so on"
    assert EmbedderSpec.from_json(json.dumps(json.loads(sidecar_path(path).read_text())["spec"])) == spec
