"""zoo/widen.py: a wider network begins as the narrower one's equal, and not as copies of it."""

import keras
import numpy as np
import pytest

from kerasface import FaceModel, backbones
from kerasface.errors import KerasfaceError
from kerasface.export import embedder_spec, load_trained, write_sidecar
from tests.doc_scripts import load_script


@pytest.fixture(scope="module")
def script():
    return load_script("zoo/widen.py")


@pytest.fixture
def narrow():
    keras.utils.set_random_seed(1)
    backbone = backbones.get("mobilefacenet", width=0.25, input_shape=(32, 32, 3), embedding_dim=16)
    rng = np.random.default_rng(2)
    # Statistics and slopes as training leaves them: none is 0 or 1.
    backbone.set_weights(
        [value + (value.ndim < 4) * rng.uniform(0.1, 0.3, value.shape) for value in backbone.get_weights()]
    )
    return backbone


def test_it_gives_the_same_embeddings(script, narrow, tmp_path, monkeypatch):
    model = FaceModel(narrow, mean=120.0, std=60.0, color_order="bgr")
    model.save(tmp_path / "narrow.keras")
    write_sidecar(tmp_path / "narrow.keras", embedder_spec(model, name="mobilefacenet.narrow"))
    monkeypatch.setattr("sys.argv", ["widen.py", str(tmp_path / "narrow.keras"), "0.5", str(tmp_path / "wide.keras")])
    script.main()
    wide, spec = load_trained(tmp_path / "wide.keras")
    assert spec == embedder_spec(wide, name="mobilefacenet.narrow")
    assert wide.backbone.get_config()["width"] == 0.5
    assert wide.backbone.count_params() > 2 * narrow.count_params()
    images = np.random.default_rng(3).integers(0, 256, (6, 32, 32, 3), dtype=np.uint8)
    expected = model.predict(images, verbose=0)
    assert np.std(expected, axis=0).min() > 0
    np.testing.assert_allclose(wide.predict(images, verbose=0), expected, rtol=1e-4, atol=1e-4 * np.abs(expected).max())


def test_copies_of_a_channel_learn_different_things(script, narrow):
    import tensorflow as tf

    wide = script.widen(narrow, 0.5)
    images = np.random.default_rng(4).normal(size=(4, 32, 32, 3)).astype(np.float32)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(wide(images, training=True) ** 3)
    slopes = tape.gradient(loss, wide.get_layer("stem").kernel)
    first, second = np.split(slopes.numpy(), 2, axis=-1)
    assert np.abs(first - second).max() > 0.05 * np.abs(first).max()


def test_a_width_that_is_no_multiple_is_refused(script, narrow):
    with pytest.raises(KerasfaceError, match="expected a whole multiple of the width"):
        script.widen(narrow, 0.375)
