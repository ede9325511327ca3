"""A step of training, whatever the architecture: gradients reach every weight, and the loss falls."""

import keras
import numpy as np
import pytest

from kerasface import FaceModel, backbones, heads
from tests.backbones.networks import DIMENSION, SMALL, settle

PEOPLE, FACES = 4, 8


@pytest.mark.parametrize("label", SMALL)
def test_a_step_moves_every_weight_and_lowers_the_loss(label, rng):
    keras.utils.set_random_seed(3)
    name, arguments = SMALL[label]
    # Dropout draws anew each step, which would be compared too.
    backbone = backbones.get(name, **{**arguments, **({"dropout": 0.0} if "dropout" in arguments else {})})
    model = FaceModel(backbone, heads.get("cosface", num_classes=PEOPLE, scale=8.0, margin=0.1))
    model.compile(keras.optimizers.Adam(1e-4), run_eagerly=True)
    images = rng.uniform(0, 255, (FACES, *backbone.input_shape[1:])).astype(np.float32)
    labels = np.arange(FACES) % PEOPLE
    before = [np.asarray(weight) for weight in backbone.trainable_weights]
    first = float(model.train_on_batch(images, labels))
    for weight, old in zip(backbone.trainable_weights, before, strict=True):
        assert np.isfinite(np.asarray(weight)).all(), weight.path
        assert (np.asarray(weight) != old).any(), weight.path
    model.reset_metrics()
    assert float(model.train_on_batch(images, labels)) < first


@pytest.mark.parametrize(
    ("label", "dtype"), [*((label, "mixed_float16") for label in SMALL), ("mbf", "mixed_bfloat16")]
)
def test_mixed_precision_keeps_weights_in_float32_and_embeds(label, dtype, rng):
    name, arguments = SMALL[label]
    model = backbones.get(name, **arguments, dtype=dtype)
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}
    images = rng.normal(size=(4, *model.input_shape[1:]))
    # Untrained statistics would let a deep network's values outgrow float16.
    settle(model, images)
    embeddings = model(images)
    assert (keras.backend.standardize_dtype(embeddings.dtype), tuple(embeddings.shape)) == (dtype[6:], (4, DIMENSION))
    assert np.isfinite(np.asarray(embeddings).astype(np.float32)).all()
