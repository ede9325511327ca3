"""The PReLU of few passes is Keras' own, forward and backward."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasface.backbones.prelu import PReLU

SHAPE = (5, 6, 7, 8)
TOLERANCES = {"float32": 1e-5, "mixed_bfloat16": 3e-2}


def pair(rng, **options):
    """Ours and Keras' with the same slopes, some of them negative or above 1."""
    layers = [kind(**options) for kind in (PReLU, keras.layers.PReLU)]
    for layer in layers:
        layer.build(SHAPE)
    slopes = rng.uniform(-0.5, 1.5, layers[0].alpha.shape)
    for layer in layers:
        layer.alpha.assign(slopes)
    return layers


@pytest.mark.parametrize("dtype", TOLERANCES)
@pytest.mark.parametrize("shared_axes", [None, [1, 2], [1, 2, 3]])
def test_values_and_gradients_are_keras_own(dtype, shared_axes, rng):
    found = []
    x = rng.normal(size=SHAPE)
    upstream = rng.normal(size=SHAPE).astype(np.float32)
    for layer in pair(rng, shared_axes=shared_axes, dtype=dtype):
        inputs = tf.constant(x, layer.compute_dtype)
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            y = layer(inputs, training=True)
            total = tf.reduce_sum(tf.cast(y, tf.float32) * upstream)
        found.append([y, *tape.gradient(total, [inputs, layer.alpha.value])])
    for ours, theirs in zip(*found, strict=True):
        assert ours.dtype == theirs.dtype
        value, expected = (np.asarray(tf.cast(each, tf.float32)) for each in (ours, theirs))
        np.testing.assert_allclose(
            value, expected, rtol=TOLERANCES[dtype], atol=TOLERANCES[dtype] * np.abs(expected).max()
        )


def test_inference_keeps_the_operators_that_converters_know(rng):
    ours, theirs = pair(rng, shared_axes=[1, 2])
    x = tf.constant(rng.normal(size=SHAPE), tf.float32)
    np.testing.assert_array_equal(ours(x), theirs(x))
    graphs = [
        tf.function(layer.__call__).get_concrete_function(tf.TensorSpec(SHAPE)).graph.get_operations()
        for layer in (ours, theirs)
    ]
    ours, theirs = ([operation.type for operation in operations] for operations in graphs)
    assert ours == theirs
