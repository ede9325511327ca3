import keras
import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter

from kerasface import FaceModel, KerasfaceError, backbones, heads
from kerasface.export import embedder_spec, natural_images, to_tflite
from tests.export.samples import DIMENSION, SIZE, small_backbone, spec_of, unit

# One convolution, one depthwise, one dense layer, two PReLUs and a shortcut: batch norm and everything else is folded.
OPERATORS = {
    "ADD": 1,
    "CAST": 1,
    "CONV_2D": 1,
    "DEPTHWISE_CONV_2D": 1,
    "FULLY_CONNECTED": 1,
    "L2_NORMALIZATION": 1,
    "MUL": 1,
    "PAD": 1,
    "PRELU": 2,
    "RESHAPE": 1,
    "SUB": 1,
}


def embed(path, images):
    interpreter = Interpreter(str(path))
    run = interpreter.get_signature_runner("serving_default")
    return np.concatenate([run(image=image[None])["embedding"] for image in images])


@pytest.mark.parametrize(("precision", "tolerance"), [("fp32", 5e-6), ("fp16", 2e-3)])
def test_the_file_answers_as_plain_numpy_does(exported, images, expected, precision, tolerance):
    path, _ = exported["tflite", precision]
    received = embed(path, images)
    np.testing.assert_allclose(received, expected, atol=tolerance)
    np.testing.assert_allclose(np.linalg.norm(received, axis=1), 1, atol=5e-6)


@pytest.mark.parametrize("precision", ["fp32", "fp16"])
def test_signature_shapes_and_types(exported, precision):
    interpreter = Interpreter(str(exported["tflite", precision][0]))
    assert interpreter.get_signature_list() == {"serving_default": {"inputs": ["image"], "outputs": ["embedding"]}}
    (image,), (embedding,) = interpreter.get_input_details(), interpreter.get_output_details()
    assert image["dtype"] == np.uint8
    assert tuple(image["shape_signature"]) == (1, SIZE, SIZE, 3)
    assert embedding["dtype"] == np.float32
    assert tuple(embedding["shape_signature"]) == (1, DIMENSION)


def test_batch_norm_is_folded_and_prelu_is_one_operator(exported):
    assert exported["tflite", "fp32"][1].parity.operators == OPERATORS


def test_fp16_only_adds_the_unpacking_of_weights(exported):
    operators = dict(exported["tflite", "fp16"][1].parity.operators)
    assert operators.pop("DEQUANTIZE") > 0
    assert operators == OPERATORS


def test_fp16_halves_the_file(exported):
    assert exported["tflite", "fp16"][1].bytes < 0.56 * exported["tflite", "fp32"][1].bytes


def test_a_bgr_network_becomes_plain_operators(images, tmp_path):
    backbone = small_backbone()
    report = to_tflite(backbone, tmp_path / "bgr.tflite", spec=spec_of(backbone, color_order="bgr"), precision="fp32")
    assert report.parity.operators == {**OPERATORS, "SPLIT": 1, "CONCATENATION": 1}
    prepared = (images[..., ::-1].astype("float32") - 127.5) / 127.5
    truth = unit(np.asarray(backbone(prepared)))
    np.testing.assert_allclose(embed(tmp_path / "bgr.tflite", images), truth, atol=5e-6)


def test_mobilefacenet_becomes_the_operators_of_its_table(tmp_path):
    network = FaceModel(backbones.get("mobilefacenet"), heads.get("arcface", num_classes=5))
    report = to_tflite(network, tmp_path / "m.tflite", spec=embedder_spec(network, name="mobilefacenet.untrained"))
    operators = dict(report.parity.operators)
    operators.pop("DEQUANTIZE")
    # 15 bottlenecks of two 1x1 convolutions, the stem, the last and the embedding's; 15 + stem's + global depthwise.
    assert operators == {
        **{"CONV_2D": 33, "DEPTHWISE_CONV_2D": 17, "PRELU": 33, "ADD": 12, "PAD": 4},
        **{"CAST": 1, "SUB": 1, "MUL": 1, "RESHAPE": 1, "L2_NORMALIZATION": 1},
    }
    assert 2 * 1.003e6 < report.bytes < 2.2e6
    crop = natural_images(1, seed=5)
    truth = unit(np.asarray(network.backbone((crop.astype("float32") - 127.5) / 127.5, training=False)))
    assert np.sum(embed(tmp_path / "m.tflite", crop) * truth) > 0.9999


def test_a_layer_that_tflite_lacks_is_named_and_nothing_is_written(tmp_path):
    class Digamma(keras.layers.Layer):
        def call(self, x):
            import tensorflow as tf

            return tf.math.digamma(x)

    x = small_backbone()
    backbone = keras.Model(x.input, Digamma()(x.output))
    with pytest.raises(KerasfaceError, match=r"no operator for a layer.*Received: Custom ops: Digamma$"):
        to_tflite(backbone, tmp_path / "f.tflite", spec=spec_of(backbone))
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_precision_is_refused(model, spec, tmp_path):
    with pytest.raises(ValueError, match="precision='int4'"):
        to_tflite(model, tmp_path / "f.tflite", spec=spec, precision="int4")
