"""The fused batch norm is Keras' own, forward, backward and in its statistics."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasface.backbones.batch_norm import BatchNormalization

SHAPE = (5, 6, 7, 8)
OPTIONS = {"momentum": 0.9, "epsilon": 1e-5}
TOLERANCES = {"float32": 2e-5, "mixed_bfloat16": 3e-2, "mixed_float16": 4e-3}


def pair(rng, shape=SHAPE, **options):
    """Ours and Keras' with the same weights, none of them where they begin."""
    layers = [kind(**OPTIONS, **options) for kind in (BatchNormalization, keras.layers.BatchNormalization)]
    for layer in layers:
        layer.build(shape)
    values = [rng.uniform(0.5, 2.0, weight.shape) for weight in layers[0].weights]
    for layer in layers:
        layer.set_weights(values)
    return layers


def trained(layer, x, upstream, **options):
    x = tf.constant(x, layer.compute_dtype)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True, **options)
        total = tf.reduce_sum(tf.cast(y, tf.float32) * upstream)
    weights = [weight.value for weight in layer.trainable_weights]
    return [y, *tape.gradient(total, [x, *weights]), *layer.non_trainable_weights]


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("scale", [True, False])
def test_a_training_step_is_keras_own(dtype, scale, rng):
    ours, theirs = pair(rng, dtype=dtype, scale=scale)
    x, upstream = rng.normal(1.0, 3.0, SHAPE), rng.normal(size=SHAPE).astype(np.float32)
    for one, other in zip(trained(ours, x, upstream), trained(theirs, x, upstream), strict=True):
        value, expected = (np.asarray(keras.ops.cast(each, "float32")) for each in (one, other))
        np.testing.assert_allclose(
            value, expected, rtol=TOLERANCES[dtype], atol=TOLERANCES[dtype] * np.abs(expected).max()
        )
    assert ours(tf.constant(x, ours.compute_dtype), training=True).dtype == ours.compute_dtype


def test_it_is_one_kernel_in_training_and_keras_own_operators_otherwise(rng):
    ours, _ = pair(rng)
    kinds = {
        training: {
            operation.type
            for operation in tf.function(lambda x, training=training: ours(x, training=training))
            .get_concrete_function(tf.TensorSpec(SHAPE))
            .graph.get_operations()
        }
        for training in (True, False)
    }
    assert "FusedBatchNormV3" in kinds[True]
    assert "FusedBatchNormV3" not in kinds[False]


@pytest.mark.parametrize("change", ["vector", "frozen", "synchronized", "mask"])
def test_what_the_kernel_cannot_do_goes_keras_way(change, rng):
    shape = (5, 8) if change == "vector" else SHAPE
    ours, theirs = pair(rng, shape, synchronized=change == "synchronized")
    options = {"mask": tf.constant(rng.random(shape[:-1]) > 0.5)} if change == "mask" else {}
    x = tf.constant(rng.normal(1.0, 3.0, shape), tf.float32)
    for layer in (ours, theirs):
        layer.trainable = change != "frozen"
    np.testing.assert_array_equal(ours(x, training=True, **options), theirs(x, training=True, **options))
    for one, other in zip(ours.weights, theirs.weights, strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_single_pixel_has_finite_statistics(rng):
    ours, theirs = pair(rng, (1, 1, 1, 8))
    x = tf.constant(rng.normal(size=(1, 1, 1, 8)), tf.float32)
    np.testing.assert_allclose(ours(x, training=True), theirs(x, training=True), rtol=1e-4)
    np.testing.assert_allclose(ours.moving_variance, theirs.moving_variance, rtol=1e-5)


def test_inference_is_keras_own_to_the_bit(rng):
    ours, theirs = pair(rng)
    x = tf.constant(rng.normal(size=SHAPE), tf.float32)
    np.testing.assert_array_equal(ours(x), theirs(x))
