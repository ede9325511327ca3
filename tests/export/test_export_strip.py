import keras
import numpy as np
import pytest

from kerasface.export import Standardize, UnitLength, strip
from tests.export.samples import SIZE, small_backbone, spec_of, unit


def test_the_embedder_prepares_pixels_and_normalises_by_itself(model, images, expected):
    np.testing.assert_allclose(strip(model).predict(images, verbose=0), expected, atol=1e-6)


def test_the_embedder_takes_bytes_by_name_and_gives_unit_floats(model, images):
    embedder = strip(model)
    assert embedder.input.name == "image"
    assert embedder.input.dtype == "uint8"
    assert embedder.input_shape == (None, SIZE, SIZE, 3)
    assert embedder.output_names == ["embedding"]
    lengths = np.linalg.norm(embedder.predict(images, verbose=0), axis=1)
    np.testing.assert_allclose(lengths, 1, atol=1e-6)


def test_nothing_of_the_head_is_left(model):
    kept = {id(weight) for weight in strip(model).weights}
    assert kept == {id(weight) for weight in model.backbone.weights}
    assert not kept & {id(weight) for weight in model.head.weights}


def test_an_embedding_does_not_depend_on_the_batch_around_it(model, images):
    embedder = strip(model)
    np.testing.assert_allclose(embedder(images)[3:4], embedder(images[3:4]), atol=1e-6)


def test_a_bgr_network_gets_its_channels_and_its_own_means(images):
    backbone, mean, std = small_backbone(), (104.0, 117.0, 124.0), (57.0, 58.0, 59.0)
    embedder = strip(backbone, spec_of(backbone, color_order="bgr", mean=mean, std=std))
    prepared = (images[..., ::-1].astype("float32") - mean) / std
    np.testing.assert_allclose(embedder.predict(images, verbose=0), unit(np.asarray(backbone(prepared))), atol=1e-6)


def test_a_half_precision_model_becomes_a_float32_embedder(images):
    half, full = small_backbone(dtype="mixed_bfloat16"), small_backbone()
    embedder = strip(half, spec_of(half))
    truth = strip(full, spec_of(full)).predict(images, verbose=0)
    assert embedder.output.dtype == "float32"
    np.testing.assert_allclose(embedder.predict(images, verbose=0), truth, atol=1e-6)


def test_a_stripped_model_survives_saving(model, images, tmp_path):
    embedder = strip(model)
    embedder.save(tmp_path / "embedder.keras")
    loaded = keras.models.load_model(tmp_path / "embedder.keras")
    np.testing.assert_array_equal(loaded.predict(images, verbose=0), embedder.predict(images, verbose=0))


def test_an_embedding_of_zero_stays_finite():
    np.testing.assert_array_equal(UnitLength()(np.zeros((1, 4), "float32")), np.zeros((1, 4)))


def test_standardize_rebuilds_from_its_config():
    layer = Standardize((1, 2, 3), (4, 5, 6), color_order="bgr")
    again = Standardize.from_config(layer.get_config())
    pixels = np.arange(12, dtype="uint8").reshape(1, 2, 2, 3)
    np.testing.assert_array_equal(again(pixels), (pixels[..., ::-1] - np.float32([1, 2, 3])) / np.float32([4, 5, 6]))


def test_a_bare_backbone_needs_a_spec():
    with pytest.raises(ValueError, match="needs a spec"):
        strip(small_backbone())


def test_a_stripped_model_is_not_stripped_again(model, spec):
    with pytest.raises(ValueError, match="not a stripped model"):
        strip(strip(model), spec)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input_height": 112}, "the backbone"),
        ({"embedding_size": 512}, "the backbone"),
        ({"mean": 0.0}, r"trained on rgb with mean=\(127.5, 127.5, 127.5\)"),
        ({"std": 127.5}, r"std=\(128.0, 128.0, 128.0\), the spec says otherwise"),
        ({"color_order": "bgr"}, "Received: color_order='bgr'"),
    ],
)
def test_a_spec_that_disagrees_with_the_model_is_refused(model, spec, changes, message):
    with pytest.raises(ValueError, match=message):
        strip(model, spec.replace(**changes))
