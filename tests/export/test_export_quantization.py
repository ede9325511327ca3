import sys

import numpy as np
import pytest
from ai_edge_litert import schema_py_generated as schema
from ai_edge_litert.interpreter import Interpreter

from kerasface import KerasfaceError
from kerasface.edge import Embedder
from kerasface.export import natural_images, to_tflite
from tests.export.samples import SIZE, small_backbone, spec_of


def tensors(path):
    """Type and number of scales of every tensor."""
    graph = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(path.read_bytes(), 0)).subgraphs[0]
    return [(t.type, 0 if t.quantization is None else np.size(t.quantization.scale)) for t in graph.tensors]


@pytest.mark.parametrize("precision", ["int8", "int8-full"])
def test_weights_take_a_byte_each_and_channels_a_scale_each(exported, precision):
    path, report = exported["tflite", precision]
    assert report.bytes < 0.42 * exported["tflite", "fp32"][1].bytes
    scales = [count for kind, count in tensors(path) if kind == schema.TensorType.INT8 and count > 1]
    assert sorted(scales) == [8, 8, 16]  # convolution, depthwise, dense


def test_int8_keeps_prelu_and_computes_depthwise_in_floats(exported):
    operators = dict(exported["tflite", "int8"][1].parity.operators)
    assert operators.pop("DEQUANTIZE") == 1
    assert operators == exported["tflite", "fp32"][1].parity.operators


def test_int8_full_has_floats_at_its_ends_alone(exported):
    path, report = exported["tflite", "int8-full"]
    assert "PRELU" not in report.parity.operators
    assert report.parity.operators["MAXIMUM"] == 2
    interpreter = Interpreter(str(path))
    interpreter.allocate_tensors()
    kinds = {t["index"]: t["dtype"] for t in interpreter.get_tensor_details()}
    in_floats = []
    for node in interpreter._get_ops_details():
        ends = {kinds[i] for i in (*node["inputs"], *node["outputs"]) if i >= 0}
        if node["op_name"] != "DELEGATE" and np.float32 in ends:
            in_floats.append(node["op_name"])
    assert in_floats == ["CAST", "QUANTIZE", "DEQUANTIZE", "L2_NORMALIZATION"]


@pytest.mark.parametrize("precision", ["int8", "int8-full"])
def test_the_file_answers_nearly_as_plain_numpy_does(exported, images, expected, precision):
    received = Embedder.load(exported["tflite", precision][0]).embed(images)
    cosines = np.sum(received * expected, axis=1)
    assert cosines.mean() > 0.998
    assert cosines.max() < 1 - 1e-7  # it is an 8-bit file


def test_float_input_and_a_batch_of_three(images, expected, model, spec, tmp_path):
    report = to_tflite(
        model, tmp_path / "f.tflite", spec=spec, precision="int8-full", input_dtype="float32", batch=3,
        representative=natural_images(96, height=SIZE, width=SIZE, seed=11),
    )  # fmt: skip
    assert report.input_dtype == "float32"
    (details,) = Interpreter(str(tmp_path / "f.tflite")).get_input_details()
    assert tuple(details["shape"]) == (3, SIZE, SIZE, 3)
    assert details["dtype"] == np.float32
    received = Embedder.load(tmp_path / "f.tflite").embed(images[:7])  # the last run is filled up
    assert np.sum(received * expected[:7], axis=1).min() > 0.99


def test_int8_full_needs_faces(model, spec, tmp_path):
    with pytest.raises(KerasfaceError, match="ranges of its activations from faces"):
        to_tflite(model, tmp_path / "f.tflite", spec=spec, precision="int8-full")
    few, fractions = natural_images(63, height=SIZE, width=SIZE), natural_images(64, height=SIZE, width=SIZE) / 255
    for wrong, options, least in ((few, {}, 64), (fractions, {}, 64), (few, {"batch": 65}, 65)):
        with pytest.raises(ValueError, match=f"representative must be at least {least} uint8"):
            to_tflite(model, tmp_path / "f.tflite", spec=spec, precision="int8-full", representative=wrong, **options)
    assert list(tmp_path.iterdir()) == []


def test_weights_too_far_apart_for_8_bits_are_refused(tmp_path):
    backbone = small_backbone()
    kernel, bias = backbone.layers[-1].get_weights()
    # One scale an output: a single huge weight leaves nothing to the others.
    kernel[0] += 300 * np.abs(kernel).max()
    backbone.layers[-1].set_weights([kernel, bias])
    spec = spec_of(backbone)
    with pytest.raises(KerasfaceError, match="the int8 file disagrees.*mean_cosine at least 0.995"):
        to_tflite(backbone, tmp_path / "f.tflite", spec=spec, precision="int8")
    assert list(tmp_path.iterdir()) == []


def test_the_quantizer_is_asked_for_before_the_work(model, spec, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "ai_edge_quantizer", None)
    with pytest.raises(KerasfaceError, match="pip install"):
        to_tflite(model, tmp_path / "f.tflite", spec=spec, precision="int8")
