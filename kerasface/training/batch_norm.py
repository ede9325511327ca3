"""Batch normalisation over the global batch instead of each replica's own."""

import contextlib

import keras

__all__ = ["is_synchronised", "saved_as_local", "synchronise_batch_norm"]

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


def _layers(model):
    return [layer for layer in model._flatten_layers() if isinstance(layer, keras.layers.BatchNormalization)]
