"""The precision that a file tells is the one it was written in."""

import sys

import keras
import numpy as np
import onnx
import pytest
from ai_edge_litert import schema_py_generated as schema
from onnx import TensorProto, helper, numpy_helper
from onnxruntime.quantization import CalibrationDataReader, QuantType, quantize_dynamic, quantize_static
from onnxruntime.transformers.float16 import convert_float_to_float16

from kerasface import KerasfaceError
from kerasface.export import stored_precision, strip
from kerasface.export.quantization import quantize_dynamically
from kerasface.export.tflite import converted
from kerasface.zoo.workshop.half import embedder_in_halves, save_in_halves
from tests.export.samples import SIZE, spec_of


class Crops(CalibrationDataReader):
    """What ONNX Runtime's quantizer takes ranges from."""

    def __init__(self, images):
        self.batches = iter([{"image": images}])

    def get_next(self):
        return next(self.batches, None)


@pytest.mark.parametrize("precision", ["fp32", "fp16", "int8", "int8-full"])
def test_every_tflite_file_tells_what_it_was_exported_in(exported, precision):
    assert stored_precision(exported["tflite", precision][0]) == precision


def test_weights_behind_the_tables_count_too(tmp_path):
    """As the quantizer leaves them in all but the smallest files, before a spec is written in."""
    backbone = keras.Sequential([keras.Input((SIZE, SIZE, 3)), keras.layers.Flatten(), keras.layers.Dense(128)])
    content = quantize_dynamically(converted(strip(backbone, spec_of(backbone, embedding_size=128)), "fp32"))
    buffers = schema.ModelT.InitFromPackedBuf(content).buffers
    assert max(buffer.size for buffer in buffers) == SIZE * SIZE * 3 * 128
    path = tmp_path / "face.tflite"
    path.write_bytes(content)
    assert stored_precision(path) == "int8"


def test_onnx_files_tell_what_onnx_runtimes_tools_made_of_ours(exported, images, tmp_path):
    path, target = exported["onnx", "fp32"][0], tmp_path / "face.onnx"
    assert stored_precision(path) == "fp32"
    onnx.save(convert_float_to_float16(onnx.load(path), keep_io_types=True), target)
    assert stored_precision(target) == "fp16"
    for weight_type in (QuantType.QInt8, QuantType.QUInt8):
        quantize_dynamic(path, target, weight_type=weight_type)
        assert stored_precision(target) == "int8"
    quantize_static(path, target, Crops(images))
    assert stored_precision(target) == "int8-full"


def test_onnx_weights_of_8_bits_that_are_unpacked_leave_activations_in_floats(tmp_path):
    nodes = [
        helper.make_node("DequantizeLinear", ["bytes", "scale"], ["weights"]),
        helper.make_node("MatMul", ["x", "weights"], ["y"]),
    ]
    ends = [[helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, size])] for name, size in (("x", 4), ("y", 2))]
    weights = {"bytes": np.ones((4, 2), np.int8), "scale": np.float32(0.1)}
    constants = [numpy_helper.from_array(np.asarray(value), name) for name, value in weights.items()]
    onnx.save(helper.make_model(helper.make_graph(nodes, "dense", *ends, constants)), tmp_path / "face.onnx")
    assert stored_precision(tmp_path / "face.onnx") == "int8"


def test_keras_files_in_floats_of_32_and_of_16_bits(model, tmp_path):
    path = tmp_path / "face.zip"  # the content decides, not the name
    model.save(tmp_path / "face.keras")
    (tmp_path / "face.keras").rename(path)
    assert stored_precision(path) == "fp32"
    save_in_halves(embedder_in_halves(model), path)
    assert stored_precision(path) == "fp16"


def test_what_is_no_model_is_refused(tmp_path):
    with pytest.raises(KerasfaceError, match="no model file"):
        stored_precision(tmp_path / "gone.tflite")
    (tmp_path / "photo.png").write_bytes(b"\x89PNG\r\n")
    with pytest.raises(KerasfaceError, match="neither a TFLite nor an ONNX model"):
        stored_precision(tmp_path / "photo.png")


def test_without_onnx_the_way_out_is_said(exported, monkeypatch):
    path = exported["onnx", "fp32"][0]
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(KerasfaceError, match=r"pip install 'kerasface\[onnx\]'"):
        stored_precision(path)
