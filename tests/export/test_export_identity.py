import keras
import numpy as np
import pytest

from kerasface import FaceModel, heads
from kerasface.export import embedder_id, embedder_spec, strip
from kerasface.spec import EmbedderSpec, Threshold
from tests.export.samples import DIMENSION, SIZE, small_backbone, spec_of


def test_the_id_never_changes_between_versions_of_the_library():
    backbone = keras.Sequential([keras.Input((2, 2, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    backbone.set_weights([np.arange(24, dtype="float32").reshape(12, 2) / 7, np.array([0.5, -1], "float32")])
    spec = EmbedderSpec(name="golden", embedder_id="", embedding_size=2, input_height=2, input_width=2)
    assert embedder_id(backbone, spec) == "124af2a56091f21c296035f259a3d3ac"


def test_the_id_survives_saving_whatever_the_layers_are_called(model, spec, tmp_path):
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    rebuilt = small_backbone(seed=99)
    rebuilt.set_weights(model.backbone.get_weights())
    assert [layer.name for layer in rebuilt.layers] != [layer.name for layer in model.backbone.layers]
    assert embedder_id(loaded.backbone, spec) == embedder_id(rebuilt, spec) == spec.embedder_id


def test_the_id_is_the_embedders_not_the_heads(model, spec):
    other = FaceModel(model.backbone, heads.get("cosface", num_classes=9), mean=127.5, std=128.0)
    assert embedder_spec(other, name="other").embedder_id == spec.embedder_id
    assert embedder_id(strip(model), spec) == spec.embedder_id


def test_freezing_layers_leaves_the_id():
    backbone = small_backbone()
    before = spec_of(backbone).embedder_id
    backbone.layers[2].trainable = False
    assert spec_of(backbone).embedder_id == before


def test_every_weight_counts():
    backbone = small_backbone()
    ids = {spec_of(backbone).embedder_id}
    for weight in backbone.weights:
        values = weight.numpy()
        changed = values.copy()
        changed.flat[-1] = np.nextafter(changed.flat[-1], np.float32(np.inf))
        weight.assign(changed)
        ids.add(spec_of(backbone).embedder_id)
        weight.assign(values)
    assert len(ids) == 1 + len(backbone.weights)


def test_equal_bytes_in_other_shapes_are_another_embedder():
    def zeros(*units):
        stack = [keras.layers.Dense(n, use_bias=False, kernel_initializer="zeros") for n in units]
        return keras.Sequential([keras.Input((4, 4, 3)), keras.layers.Flatten(), *stack])

    spec = EmbedderSpec(name="x", embedder_id="", embedding_size=2, input_height=4, input_width=4)
    assert embedder_id(zeros(1, 2), spec) != embedder_id(zeros(1, 1, 1), spec)


@pytest.mark.parametrize(
    "changes",
    [
        {"color_order": "bgr"},
        {"mean": 127.0},
        {"mean": (127.5, 127.5, 127.0)},
        {"std": 127.5},
        {"template": "arcface_112x112"},
    ],
    ids=str,
)
def test_all_preprocessing_counts(model, spec, changes):
    assert embedder_id(model.backbone, spec.replace(**changes)) != spec.embedder_id


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "other"},
        {"flip": "sum"},
        {"licence": "other"},
        {"library_version": "9"},
        {"thresholds": (Threshold(0.3, 1e-3, "lfw", "fp16", 3000),)},
    ],
    ids=str,
)
def test_what_does_not_change_an_embedding_does_not_count(model, spec, changes):
    assert embedder_id(model.backbone, spec.replace(**changes)) == spec.embedder_id


def test_the_spec_says_what_the_model_is(spec):
    assert spec.input_shape == (SIZE, SIZE, 3)
    assert spec.embedding_size == DIMENSION
    assert (spec.mean, spec.std, spec.color_order) == ((127.5,) * 3, (128.0,) * 3, "rgb")
    assert (spec.name, spec.training_data, spec.licence) == ("small.arcface_nothing", "nothing", "Apache-2.0")
    assert spec.template == "none"


def test_the_template_follows_from_the_size_unless_told(model):
    layers = keras.layers
    backbone = keras.Sequential([keras.Input((112, 96, 3)), layers.GlobalAveragePooling2D(), layers.Dense(4)])
    portrait = FaceModel(backbone, heads.get("arcface", num_classes=5))
    assert embedder_spec(portrait, name="x").template == "arcface_112x96"
    assert embedder_spec(portrait, name="x", template="none").template == "none"


def test_a_bare_backbone_says_nothing_about_its_pixels():
    with pytest.raises(ValueError, match="expected a FaceModel"):
        embedder_spec(small_backbone(), name="x")


def test_a_model_of_any_size_has_no_spec():
    layers = keras.layers
    backbone = keras.Sequential([keras.Input((None, None, 3)), layers.GlobalAveragePooling2D(), layers.Dense(4)])
    with pytest.raises(ValueError, match="fixed input size"):
        embedder_spec(FaceModel(backbone, heads.get("arcface", num_classes=5)), name="x")
