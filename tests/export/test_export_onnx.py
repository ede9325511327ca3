import sys

import keras
import numpy as np
import onnx
import onnxruntime
import pytest

from kerasface import KerasfaceError
from kerasface.edge import Embedder
from kerasface.export import to_onnx
from tests.export.samples import DIMENSION, SIZE, small_backbone, spec_of


@pytest.fixture
def session(exported):
    return onnxruntime.InferenceSession(str(exported["onnx", "fp32"][0]), providers=["CPUExecutionProvider"])


@pytest.mark.parametrize("batch", [1, 5])
def test_any_batch_answers_as_plain_numpy_does(session, images, expected, batch):
    (received,) = session.run(["embedding"], {"image": images[:batch]})
    np.testing.assert_allclose(received, expected[:batch], atol=1e-6)


def test_names_shapes_and_types(session):
    (image,), (embedding,) = session.get_inputs(), session.get_outputs()
    assert (image.name, image.type, image.shape) == ("image", "tensor(uint8)", ["batch", SIZE, SIZE, 3])
    assert (embedding.name, embedding.type, embedding.shape) == ("embedding", "tensor(float)", ["batch", DIMENSION])


def test_the_file_is_valid_standard_opset_17(exported):
    proto = onnx.load(exported["onnx", "fp32"][0])
    onnx.checker.check_model(proto, full_check=True)
    assert {entry.domain: entry.version for entry in proto.opset_import}[""] == 17
    assert {node.domain for node in proto.graph.node} == {""}
    assert "BatchNormalization" not in {node.op_type for node in proto.graph.node}


def test_a_graph_of_channels_first_and_floats(model, spec, images, expected, tmp_path):
    path = tmp_path / "nchw.onnx"
    to_onnx(model, path, spec=spec, layout="nchw", input_dtype="float32")
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (image,) = session.get_inputs()
    assert (image.name, image.type, image.shape) == ("image", "tensor(float)", ["batch", 3, SIZE, SIZE])
    pixels = images[:3].transpose(0, 3, 1, 2).astype("float32")
    np.testing.assert_allclose(session.run(None, {"image": pixels})[0], expected[:3], atol=1e-6)
    np.testing.assert_allclose(Embedder.load(path).embed(images[:3]), expected[:3], atol=1e-6)


def test_the_browsers_graph_keeps_prelu_whole(model, spec, images, expected, tmp_path):
    path = tmp_path / "web.onnx"
    report = to_onnx(model, path, spec=spec, web=True)
    assert report.parity.operators["PRelu"] == 2
    assert "BatchNormalization" not in report.parity.operators
    proto = onnx.load(path)
    onnx.checker.check_model(proto, full_check=True)
    assert {entry.domain: entry.version for entry in proto.opset_import}[""] == 17
    np.testing.assert_allclose(Embedder.load(path).embed(images[:3]), expected[:3], atol=1e-6)


def test_a_layout_that_there_is_not_is_refused(model, spec, tmp_path):
    with pytest.raises(ValueError, match="layout='chwn'"):
        to_onnx(model, tmp_path / "f.onnx", spec=spec, layout="chwn")
    with pytest.raises(ValueError, match="for the web is nhwc"):
        to_onnx(model, tmp_path / "f.onnx", spec=spec, layout="nchw", web=True)


def test_a_layer_that_onnx_lacks_is_named_and_nothing_is_written(tmp_path):
    class Digamma(keras.layers.Layer):
        def call(self, x):
            import tensorflow as tf

            return tf.math.digamma(x)

    x = small_backbone()
    backbone = keras.Model(x.input, Digamma()(x.output))
    with pytest.raises(KerasfaceError, match=r"opset 17 has no operator.*Digamma"):
        to_onnx(backbone, tmp_path / "f.onnx", spec=spec_of(backbone))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("package", ["onnx", "tf2onnx", "onnxruntime"])
def test_a_missing_package_is_named_with_the_way_out(model, spec, tmp_path, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)  # Python's own way to say: not installed
    with pytest.raises(KerasfaceError, match=r"pip install 'kerasface\[onnx\]'"):
        to_onnx(model, tmp_path / "f.onnx", spec=spec)
