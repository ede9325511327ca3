"""TFLite embedders: our own exports, and a network as TensorFlow's MobileFaceNets were published."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasface import export
from kerasface.backbones import MobileFaceNet
from kerasface.errors import KerasfaceError
from kerasface.zoo.importer.sources import open_source
from tests.backbones.networks import settle
from tests.export.samples import spec_of
from tests.zoo.conftest import SIZE


def small(many, **arguments):
    backbone = MobileFaceNet(input_shape=(SIZE, SIZE, 3), width=0.125, embedding_dim=16, **arguments)
    settle(backbone, many)
    rng = np.random.default_rng(3)
    for layer in backbone.layers:
        if isinstance(layer, keras.layers.PReLU):
            layer.alpha.assign(rng.uniform(0.05, 0.5, layer.alpha.shape))
    return backbone


@pytest.mark.parametrize(("color_order", "padding"), [("rgb", "symmetric"), ("bgr", "same")])
def test_our_own_export_comes_back(color_order, padding, pictures, many, tmp_path):
    backbone = small(many, padding=padding)
    spec = spec_of(backbone, color_order=color_order, mean=(120, 127.5, 130), std=(128, 127, 126))
    export.to_tflite(backbone, tmp_path / "ours.tflite", spec=spec, precision="fp32")
    opened = open_source(tmp_path / "ours.tflite", "mobilefacenet")
    assert opened.is_unit
    assert opened.backbone.get_config()["padding"] == padding
    assert (opened.preprocessing.mean, opened.preprocessing.std) == (spec.mean, spec.std)
    assert opened.preprocessing.color_order == color_order
    prepared = opened.preprocessing(pictures)
    expected = backbone.predict_on_batch(prepared)
    np.testing.assert_allclose(opened.backbone.predict_on_batch(prepared), expected, atol=1e-5 * abs(expected).max())
    unit = expected / np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(opened.run(pictures), unit, atol=1e-5)


class Spelled(keras.layers.Layer):
    """PReLU as TF-slim networks spell it: relu(x) + c·(x − |x|), with c half the slope."""

    def __init__(self, slope, **options):
        super().__init__(**options)
        self.half = tf.constant(np.ravel(slope) / 2, tf.float32)

    def call(self, x):
        return tf.nn.relu(x) + self.half * (x - tf.abs(x))


def pointwise(x, kernel, bias):
    layer = keras.layers.Conv2D(kernel.shape[-1], 1)
    y = layer(x)
    layer.set_weights([kernel[None, None], bias])
    return y


def as_published(backbone):
    """The same network with PReLU spelled out and a linear 1×1 convolution more before two of its own."""
    rng = np.random.default_rng(8)

    def rebuilt(layer, x):
        if isinstance(layer, keras.layers.PReLU):
            return Spelled(layer.alpha.numpy())(x)
        if layer.name not in ("stage1_block1_expand", "embedding"):
            return layer(x)
        # W = (W·A⁻¹)·A: the file holds A, and W·A⁻¹ in the layer's place, and a bias that is taken back.
        inputs = x.shape[-1]
        first = np.eye(inputs) + 0.2 * rng.normal(size=(inputs, inputs))
        bias = rng.normal(size=inputs)
        kernel = np.linalg.inv(first) @ layer.kernel.numpy()[0, 0]
        return pointwise(pointwise(x, first, bias), kernel, -bias @ kernel)

    known = {}
    for layer in backbone.layers:
        parts = layer.input if isinstance(layer.input, list) else [layer.input]
        if isinstance(layer, keras.layers.InputLayer):
            known[id(layer.output)] = keras.Input(batch_shape=(2, *layer.output.shape[1:]))
            image = known[id(layer.output)]
            continue
        arguments = [known[id(part)] for part in parts]
        known[id(layer.output)] = rebuilt(layer, arguments if len(arguments) > 1 else arguments[0])
    return keras.Model(image, known[id(backbone.output)])


def test_a_network_as_tensorflow_published_it(pictures, many, tmp_path):
    backbone = small(many, padding="same")
    published = as_published(backbone)
    image = keras.Input(batch_shape=published.input_shape)
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, published(image, training=False)))
    (tmp_path / "published.tflite").write_bytes(converter.convert())
    opened = open_source(tmp_path / "published.tflite", "mobilefacenet", mean=127.5, std=128.0)
    pixels = (pictures.astype(np.float32) - 127.5) / 128
    expected = backbone.predict_on_batch(pixels)
    scale = abs(expected).max()
    np.testing.assert_allclose(opened.run(pictures[:5]), expected[:5], atol=1e-4 * scale)  # a batch of 2 in the file
    np.testing.assert_allclose(opened.backbone.predict_on_batch(pixels), expected, atol=1e-4 * scale)
    for layer, other in zip(backbone.layers, opened.backbone.layers, strict=True):
        if isinstance(layer, keras.layers.PReLU):
            np.testing.assert_allclose(other.alpha, layer.alpha, rtol=1e-5)


def test_other_files_are_refused(many, tmp_path):
    backbone, path = small(many), tmp_path / "ours.tflite"
    export.to_tflite(backbone, path, spec=spec_of(backbone), precision="fp16")
    with pytest.raises(KerasfaceError, match="as FLOAT16: import the float32 file|unpacks its weights at run time"):
        open_source(path, "mobilefacenet")
    export.to_tflite(backbone, path, spec=spec_of(backbone), precision="fp32")
    with pytest.raises(KerasfaceError, match="the source is no mbf: expected our "):
        open_source(path, "mbf")
    whole = path.read_bytes()
    for length in (len(whole) // 2, 200, 9):
        path.write_bytes(whole[:length])
        with pytest.raises(KerasfaceError, match="ours.tflite"):
            open_source(path, "mobilefacenet")
