"""Batch normalisation over the global batch instead of each replica's own."""

import contextlib

import keras

__all__ = ["saved_as_local", "synchronise_batch_norm"]


def synchronise_batch_norm(model):
    """Lets every BatchNormalization of a model take its statistics over all replicas, as one device would.

    Below some 32 faces a replica's own statistics are noise. It costs three small collectives a layer and step.

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


def _layers(model):
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
