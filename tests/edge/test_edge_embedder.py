import numpy as np
import pytest

from kerasface.edge.embedder import Embedder
from kerasface.errors import KerasfaceError
from kerasface.spec import SPEC_KEY

FORMATS = ["tflite", "tflite_batch4", "tflite_free", "onnx"]


@pytest.fixture
def images(rng):
    # Smooth random pictures: block means differ from picture to picture and from a picture to its mirror image.
    coarse = rng.integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    return np.repeat(np.repeat(coarse, 14, axis=1), 14, axis=2)


def unit(x):
    return x / np.linalg.norm(x, axis=-1, keepdims=True)


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("count", [0, 1, 3, 5, 70])
def test_embeddings_equal_the_models_truth(model_files, block_model, images, name, count):
    embedder = Embedder.load(model_files[name])
    many = np.tile(images, (14, 1, 1, 1))[:count]
    embeddings = embedder.embed(many)
    assert embeddings.shape == (count, 16)
    assert embeddings.dtype == np.float32
    np.testing.assert_allclose(embeddings, block_model.reference(many), atol=5e-6)
    np.testing.assert_allclose(np.linalg.norm(embeddings, axis=1), 1, atol=1e-6)


def test_the_spec_comes_from_the_file(model_files, spec):
    assert Embedder.load(model_files["tflite"]).spec == spec
    assert Embedder.load(str(model_files["onnx"]), threads=2).spec == spec


@pytest.mark.parametrize("name", ["tflite", "onnx"])
def test_flips(model_files, block_model, images, name):
    embedder = Embedder.load(model_files[name])
    face, mirror = block_model.reference(images), block_model.reference(images[:, :, ::-1])
    np.testing.assert_allclose(embedder.embed(images, flip="sum"), unit(face + mirror), atol=5e-6)
    both = embedder.embed(images, flip="concatenate")
    assert both.shape == (5, 32)
    np.testing.assert_allclose(both, np.hstack([face, mirror]) / np.sqrt(2), atol=5e-6)
    with pytest.raises(ValueError, match=r"none, sum, concatenate.*Received: flip='add'"):
        embedder.embed(images, flip="add")


def test_the_specs_flip_is_obeyed(tmp_path, make, bare_tflite, block_model, spec, images):
    path = tmp_path / "flip.tflite"
    entry = spec.replace(flip="sum").to_json().encode()
    path.write_bytes(make.with_tflite_metadata(bare_tflite, {SPEC_KEY: entry}))
    expected = unit(block_model.reference(images) + block_model.reference(images[:, :, ::-1]))
    np.testing.assert_allclose(Embedder.load(path).embed(images), expected, atol=5e-6)


@pytest.mark.parametrize(
    ("wrong", "way_out"),
    [
        (lambda i: i / 255, ""),
        (lambda i: i[:, :96], ""),
        (lambda i: i[..., :1], ""),
        (list, ""),
        (lambda i: i[0], r"Pass images\[None\]"),
    ],
)
def test_wrong_images_are_refused(model_files, images, wrong, way_out):
    with pytest.raises(ValueError, match=r"uint8 RGB array of shape \(N, 112, 112, 3\). Received: .*" + way_out):
        Embedder.load(model_files["tflite"]).embed(wrong(images))


def test_a_model_without_spec_is_refused(tmp_path, bare_tflite):
    (tmp_path / "bare.tflite").write_bytes(bare_tflite)
    with pytest.raises(KerasfaceError, match=r"bare\.tflite carries no EmbedderSpec.*kerasface export"):
        Embedder.load(tmp_path / "bare.tflite")


def test_the_sidecar_is_checked(tmp_path, make, model_files, spec):
    path = tmp_path / "m.tflite"
    content = model_files["tflite"].read_bytes()
    path.write_bytes(content)
    make.write_sidecar(path, content, spec.replace(licence="CC0"))
    assert Embedder.load(path).spec.licence == "CC0"
    make.write_sidecar(path, content, spec, sha256="0" * 64)
    with pytest.raises(KerasfaceError, match="changed, damaged or exchanged"):
        Embedder.load(path)


@pytest.mark.parametrize(
    "changes", [{"embedding_size": 32}, {"input_height": 96, "template": "none"}, {"input_width": 96}]
)
def test_a_spec_that_contradicts_the_file_is_refused(tmp_path, make, bare_tflite, spec, changes):
    path = tmp_path / "m.tflite"
    entry = spec.replace(**changes).to_json().encode()
    path.write_bytes(make.with_tflite_metadata(bare_tflite, {SPEC_KEY: entry}))
    with pytest.raises(KerasfaceError, match=r"not an embedder as its spec says: expected uint8 'image' .* Received: "):
        Embedder.load(path)


def test_a_model_of_another_interface_is_refused(tmp_path, make, fetched_assets, spec):
    path = tmp_path / "detector.tflite"
    content = make.with_tflite_metadata(fetched_assets.paths[0].read_bytes(), {SPEC_KEY: spec.to_json().encode()})
    path.write_bytes(content)
    with pytest.raises(KerasfaceError, match="Received: float32 'input' of"):
        Embedder.load(path)


def test_a_dead_model_is_an_error_not_a_zero_embedding(tmp_path, make, spec, images):
    path = tmp_path / "dead.onnx"
    path.write_bytes(make.with_onnx_metadata(make.BlockModel(dead=True).onnx(), {SPEC_KEY: spec.to_json()}))
    with pytest.raises(
        KerasfaceError, match=r"dead\.onnx gave embeddings without a direction.*images \[0, 1, 2, 3, 4\]"
    ):
        Embedder.load(path).embed(images)
