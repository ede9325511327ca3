"""The slope of a hook: its derivative entry by entry, on whichever backend Keras runs."""

from keras import backend

__all__ = ["slope"]


def slope(function, x):
    """d function(x) / d x for a function that works entry by entry.

    Hooks such as `MarginHead.adjust_target` state values only; the fused loss needs their slopes inside its own
    backward pass, where no tape is running.

    Args:
        function: tensor to tensor of the same shape, each entry from its own entry alone.
        x: float tensor.

    Returns:
        tensor like x; zeros where `function` doesn't depend on x.
    """
    return _BACKENDS[backend.backend()](function, x)


def _tensorflow(function, x):
    import tensorflow as tf

    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(x)
        y = function(x)
    return tape.gradient(y, x, unconnected_gradients=tf.UnconnectedGradients.ZERO)


def _jax(function, x):
    import jax

    return jax.jvp(function, (x,), (jax.numpy.ones_like(x),))[1]


def _torch(function, x):
    import torch

    with torch.enable_grad():
        x = x.detach().requires_grad_(True)
        y = function(x)
        if not y.requires_grad:
            return torch.zeros_like(x)
        return torch.autograd.grad(y.sum(), x)[0]


_BACKENDS = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}
