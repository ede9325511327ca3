import os
import subprocess
import sys

import keras
import numpy as np
import pytest

from kerasface import KerasfaceError
from kerasface.edge.metadata import sidecar_path
from kerasface.export import export, natural_images, to_onnx, to_tflite
from tests.export.samples import small_backbone, spec_of

OTHER_BACKEND = """
import keras, numpy as np, sys
from kerasface.errors import KerasfaceError
from kerasface.export import embedder_id, strip, to_tflite
from kerasface.spec import EmbedderSpec
backbone = keras.Sequential([keras.Input((2, 2, 3)), keras.layers.Flatten(), keras.layers.Dense(4)])
spec = EmbedderSpec(name="x", embedder_id="", embedding_size=4, input_height=2, input_width=2, color_order="bgr")
images = np.arange(24, dtype="uint8").reshape(2, 2, 2, 3)
raw = np.asarray(backbone((images[..., ::-1] - np.float32(127.5)) / np.float32(127.5)))
stripped = np.asarray(strip(backbone, spec)(images))
np.testing.assert_allclose(stripped, raw / np.linalg.norm(raw, axis=1, keepdims=True), atol=1e-6)
try:
    to_tflite(backbone, sys.argv[1], spec=spec.replace(embedder_id=embedder_id(backbone, spec)))
except KerasfaceError as error:
    print(error)
"""


class Noise(keras.layers.Layer):
    """A layer that no conversion can be proven of."""

    def call(self, x):
        import tensorflow as tf

        return x + tf.random.normal(tf.shape(x))


def noisy_backbone():
    backbone = small_backbone()
    return keras.Model(backbone.input, Noise()(backbone.output))


@pytest.mark.parametrize("to_format", [to_tflite, to_onnx])
def test_a_file_that_disagrees_leaves_nothing_behind(tmp_path, to_format):
    backbone = noisy_backbone()
    with pytest.raises(KerasfaceError, match="disagrees with its Keras model on 64 images"):
        to_format(backbone, tmp_path / "noisy", spec=spec_of(backbone))
    assert list(tmp_path.iterdir()) == []


def test_weights_beyond_float16_fail_in_fp16_and_pass_in_fp32(tmp_path):
    backbone = small_backbone()
    kernel, bias = backbone.layers[-1].get_weights()
    backbone.layers[-1].set_weights([kernel * 1e7, bias])
    spec = spec_of(backbone)
    with pytest.raises(KerasfaceError, match="export fp32"):
        to_tflite(backbone, tmp_path / "f.tflite", spec=spec, precision="fp16")
    assert list(tmp_path.iterdir()) == []
    assert to_tflite(backbone, tmp_path / "f.tflite", spec=spec, precision="fp32").parity.max_abs < 1e-6


def test_a_failed_export_keeps_the_file_that_was_there(model, spec, tmp_path):
    path = tmp_path / "f.tflite"
    to_tflite(model, path, spec=spec)
    before = path.read_bytes(), sidecar_path(path).read_bytes()
    backbone = noisy_backbone()
    with pytest.raises(KerasfaceError):
        to_tflite(backbone, path, spec=spec_of(backbone))
    assert (path.read_bytes(), sidecar_path(path).read_bytes()) == before
    assert sorted(p.name for p in tmp_path.iterdir()) == ["f.tflite", "f.tflite.json"]


def test_only_the_file_and_its_sidecar_are_written(exported):
    folder = exported["onnx", "fp32"][0].parent
    names = {path.name for path, _ in exported.values()}
    assert {p.name for p in folder.iterdir()} == names | {f"{name}.json" for name in names}


def test_the_spec_of_other_weights_is_refused(model, spec, tmp_path):
    with pytest.raises(KerasfaceError, match=f"embedder_id is {spec.embedder_id}.*Received: embedder_id='stale'"):
        to_tflite(model, tmp_path / "f.tflite", spec=spec.replace(embedder_id="stale"))


def test_a_missing_folder_is_said_before_the_work(model, spec, tmp_path):
    with pytest.raises(KerasfaceError, match="create it first"):
        to_tflite(model, tmp_path / "nowhere" / "f.tflite", spec=spec)


@pytest.mark.parametrize("taken", ["f.tflite", "f.tflite.json"])
def test_a_folder_in_the_place_of_a_file_is_refused(model, spec, tmp_path, taken):
    (tmp_path / taken).mkdir()
    with pytest.raises(KerasfaceError, match="is a folder"):
        to_tflite(model, tmp_path / "f.tflite", spec=spec)


@pytest.mark.parametrize(
    "images",
    [natural_images(63, height=32, width=32), natural_images(64), np.zeros((64, 32, 32, 3), "float32")],
    ids=["too few", "another size", "floats"],
)
def test_a_proof_on_other_images_is_refused(model, spec, tmp_path, images):
    with pytest.raises(ValueError, match="expected at least 64 uint8 images"):
        to_tflite(model, tmp_path / "f.tflite", spec=spec, images=images)
    assert list(tmp_path.iterdir()) == []


def test_the_callers_images_are_the_proof(model, spec, tmp_path):
    images = natural_images(70, height=32, width=32, seed=9)
    assert export(model, tmp_path / "f.tflite", to="tflite", spec=spec, images=images).parity.images == 70


def test_on_another_backend_strip_works_and_export_says_what_to_do(tmp_path):
    pytest.importorskip("jax")
    environment = {**os.environ, "KERAS_BACKEND": "jax"}
    command = [sys.executable, "-c", OTHER_BACKEND, str(tmp_path / "f.tflite")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=120)
    assert "KERAS_BACKEND=tensorflow" in done.stdout
