import dataclasses
import json
import math

import keras
import numpy as np
import pytest

from kerasface import KerasfaceError
from kerasface.export import check, count_operators, natural_images, strip
from kerasface.export.parity import require
from tests.export.samples import SIZE, small_backbone, spec_of


@pytest.fixture(scope="module")
def embedder(model):
    return strip(model)


@pytest.mark.parametrize("key", [("tflite", "fp32"), ("onnx", "fp32")])
def test_float32_files_agree_to_rounding(exported, key):
    assert exported[key][1].parity.max_abs < 5e-6


def test_fp16_rounds_the_weights_and_no_more(exported):
    parity = exported["tflite", "fp16"][1].parity
    assert parity.max_abs > 1e-5  # it is a float16 file
    assert parity.min_cosine > 1 - 1e-5  # and a good one


def test_the_figures_are_the_differences_between_two_models(exported, images):
    other = small_backbone()
    other.layers[-1].bias.assign(np.linspace(-0.1, 0.1, 16))
    embedder = strip(other, spec_of(other, std=128.0))
    path, _ = exported["tflite", "fp32"]
    report = check(embedder, path, images)
    theirs = strip(small_backbone(), spec_of(other, std=128.0)).predict(images, verbose=0)
    ours = embedder.predict(images, verbose=0)
    assert report.images == len(images)
    assert report.max_abs == pytest.approx(np.abs(ours - theirs).max(), abs=5e-6)
    assert report.min_cosine == pytest.approx(np.sum(ours * theirs, axis=1).min(), abs=5e-6)
    assert report.mean_cosine == pytest.approx(np.sum(ours * theirs, axis=1).mean(), abs=5e-6)
    with pytest.raises(KerasfaceError, match=r"expected max_abs at most 0\.0001"):
        require(report, "fp32")
    assert json.loads(report.to_json())["bytes"] == path.stat().st_size


def converter_of(embedder, *, tracked):
    import tensorflow as tf

    signature = [tf.TensorSpec((1, SIZE, SIZE, 3), tf.uint8, name="image")]
    function = tf.function(lambda image: {"embedding": embedder(image, training=False)}, input_signature=signature)
    return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()], tracked)


def test_weights_that_the_converter_drops_are_noticed(embedder, images, tmp_path):
    # The trap of TOOLCHAIN: from_concrete_functions with a Keras model leaves its variables outside, without an error.
    path = tmp_path / "dropped.tflite"
    path.write_bytes(converter_of(embedder, tracked=embedder).convert())
    with pytest.raises(KerasfaceError, match="READ_VARIABLE"):
        check(embedder, path, images)


def test_a_file_too_small_for_its_weights_is_refused(exported):
    path, report = exported["tflite", "fp16"]
    require(report.parity, "fp16")
    with pytest.raises(KerasfaceError, match=f"dropped weights.*Received: a file of {path.stat().st_size} bytes"):
        require(report.parity, "fp32")  # a float16 file holds half the bytes that float32 weights need


@pytest.mark.parametrize(("precision", "figure"), [("fp32", "max_abs"), ("fp16", "min_cosine")])
def test_no_number_is_no_parity(exported, precision, figure):
    parity = exported["tflite", precision][1].parity
    with pytest.raises(KerasfaceError, match=f"Received: {figure}=nan"):
        require(dataclasses.replace(parity, **{figure: math.nan}), precision)


def test_kernel_weights_are_counted_once_and_without_what_is_folded(exported):
    # 3*3*3*8 convolution, 3*3*8 depthwise, 16*16*8*16 dense.
    assert exported["onnx", "fp32"][1].parity.kernel_weights == 216 + 72 + 32768


def test_a_flex_operator_is_noticed(images, tmp_path):
    import tensorflow as tf

    class Noise(keras.layers.Layer):
        def call(self, x):
            return x + keras.random.normal(keras.ops.shape(x))

    x = small_backbone()
    backbone = keras.Model(x.input, Noise()(x.output))
    embedder = strip(backbone, spec_of(backbone))
    image = keras.Input(batch_shape=(1, SIZE, SIZE, 3), dtype="uint8", name="image")
    converter = tf.lite.TFLiteConverter.from_keras_model(keras.Model(image, embedder(image)))
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS, tf.lite.OpsSet.SELECT_TF_OPS]
    path = tmp_path / "flex.tflite"
    path.write_bytes(converter.convert())
    assert count_operators(path)["CUSTOM:FlexStatelessRandomNormalV2"] == 1
    with pytest.raises(KerasfaceError, match="CUSTOM:FlexStatelessRandomNormalV2"):
        check(embedder, path, images)


def test_natural_images_are_seeded_bytes_of_the_size_asked_for():
    images = natural_images(3, height=40, width=24, seed=1)
    assert (images.shape, images.dtype) == ((3, 40, 24, 3), np.uint8)
    np.testing.assert_array_equal(images, natural_images(3, height=40, width=24, seed=1))
    assert (images != natural_images(3, height=40, width=24, seed=2)).mean() > 0.9


def test_natural_images_have_a_photographs_spectrum_and_colors():
    images = natural_images(32, height=128, width=128).astype(float)
    power = np.abs(np.fft.fft2(images.mean(axis=-1) - images.mean(axis=(1, 2, 3))[:, None, None])) ** 2
    frequency = np.arange(4, 48)
    slope = np.polyfit(np.log(frequency), np.log(power[:, frequency, 0].mean(axis=0)), 1)[0]
    assert slope == pytest.approx(-2, abs=0.3)  # 1/f in amplitude, 1/f^2 in power
    assert np.std(images[..., 0] - images[..., 2]) > 5
    assert np.std(images.mean(axis=(1, 2, 3))) > 10
    assert math.isclose(images.mean(), 127.5, abs_tol=15)
