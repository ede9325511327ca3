"""Values and gradients of a head or a loss on whichever backend Keras runs, as NumPy arrays."""

import keras
import numpy as np


def array(tensor):
    """NumPy values of a tensor, of one that is being differentiated too."""
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def compiled(function):
    """`function` of tensors as a graph, where labels have no values yet; None where the backend has no such thing."""
    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        return tf.function(function)
    if keras.backend.backend() == "jax":
        import jax

        return jax.jit(function)
    return None


def losses_and_gradients(layer, x, labels):
    """Losses (B,) of `layer.loss(x, labels)`, and the gradients of their sum by x and by the trainable weights."""
    x = keras.ops.convert_to_tensor(x)
    if not layer.built:
        layer.build(x.shape)
    losses, by_x, by_weights = _BACKENDS[keras.backend.backend()](layer, x, np.asarray(labels))
    return array(losses), array(by_x), [array(gradient) for gradient in by_weights]


def _tensorflow(layer, x, labels):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(x)
        losses = layer.loss(x, labels)
        total = tf.reduce_sum(losses)
    by_x, *by_weights = tape.gradient(total, [x, *(weight.value for weight in layer.trainable_weights)])
    return losses, by_x, [tf.convert_to_tensor(gradient) for gradient in by_weights]


def _jax(layer, x, labels):
    import jax

    def total(x, weights):
        scope = keras.StatelessScope(state_mapping=list(zip(layer.trainable_weights, weights, strict=True)))
        with scope:
            losses = layer.loss(x, labels)
        return losses.sum(), losses

    weights = [weight.value for weight in layer.trainable_weights]
    (_, losses), (by_x, by_weights) = jax.value_and_grad(total, argnums=(0, 1), has_aux=True)(x, weights)
    return losses, by_x, by_weights


def _torch(layer, x, labels):
    import torch

    x = x.detach().requires_grad_(True)
    losses = layer.loss(x, labels)
    weights = [weight.value for weight in layer.trainable_weights]
    by_x, *by_weights = torch.autograd.grad(losses.sum(), [x, *weights])
    return losses, by_x, by_weights


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
