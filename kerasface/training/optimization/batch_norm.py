"""Batch normalisation over the global batch, and its statistics under weights that were never trained with."""

import contextlib

import keras
import numpy as np
import tensorflow as tf

__all__ = ["estimate_statistics", "is_synchronised", "saved_as_local", "synchronise_batch_norm"]

# Faces of a replica below which its own batch statistics are too noisy to normalise with.
_NOISY = 32


def is_synchronised(wanted, *, batch_size, replicas):
    """Whether a run synchronises: as it wants to, or, where that is None, when a replica gets fewer than 32 faces."""
    return replicas > 1 and (batch_size // replicas < _NOISY if wanted is None else wanted)


def synchronise_batch_norm(model):
    """Lets every BatchNormalization of a model take its statistics over all replicas, as one device would.

    It costs three small collectives a layer and step.

    Args:
        model: built under a tf.distribute strategy, not yet traced.
    """
    for layer in _layers(model):
        layer.synchronized = True


@contextlib.contextmanager
def saved_as_local(model):
    """While it lasts, the model's config says nothing of synchronisation, which JAX and torch refuse to load."""
    changed = [layer for layer in _layers(model) if layer.synchronized]
    for layer in changed:
        layer.synchronized = False
    try:
        yield
    finally:
        for layer in changed:
            layer.synchronized = True


def estimate_statistics(model, stream):
    """Sets every batch norm's moving mean and variance to what a stream of images gives under the present weights.

    Averaged weights are no state that training passed through: the moving statistics are those of other activations.
    Each layer gets the mean over the batches of the batch's mean and variance. Layers that don't train keep theirs.

    Args:
        model: `FaceModel`, of one device.
        stream: of (images, targets).

    Reference:
        Izmailov et al., Averaging Weights Leads to Wider Optima and Better Generalization, UAI 2018, section 3.2.
    """
    layers = [layer for layer in _layers(model) if layer.trainable]
    if not layers:
        return
    momenta = [layer.momentum for layer in layers]
    variables = [variable for layer in layers for variable in (layer.moving_mean, layer.moving_variance)]
    sums, count = [np.zeros(variable.shape) for variable in variables], 0
    # Without momentum the moving statistics are the last batch's.
    for layer in layers:
        layer.momentum = 0.0
    forward = tf.function(lambda images: model(images, training=True))
    try:
        for images, _ in stream:
            forward(images)
            sums = [total + variable.numpy() for total, variable in zip(sums, variables, strict=True)]
            count += 1
    finally:
        for layer, momentum in zip(layers, momenta, strict=True):
            layer.momentum = momentum
    for variable, total in zip(variables, sums, strict=True):
        variable.assign(total / count)


def _layers(model):
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
