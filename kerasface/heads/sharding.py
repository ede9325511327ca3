"""Prototypes spread over devices: a head too large for one, on the JAX backend."""

import keras

__all__ = ["is_sharded", "shard_prototypes"]

_AXIS = "model"


def shard_prototypes(devices=None):
    """A distribution under which every device holds an equal part of the classes.

    What has a row a class is split: prototypes, their gradients, the optimizer's slots and the (B, C) logits. The rest
    of the model, and the batch, stand on every device: this spends devices on memory, not on speed. Losses and
    gradients are those of one device.

    Args:
        devices: list of texts as `keras.distribution.list_devices()` gives them, the default. C must be a multiple of
            their number.

    Returns:
        `keras.distribution.ModelParallel`; set it before the model is built.

    Raises:
        ValueError: another backend than JAX. TensorFlow's has no model parallelism: spread `PartialFC` with
            tf.distribute there.

    Example:
        >>> keras.distribution.set_distribution(shard_prototypes())
        >>> model = FaceModel(backbone, ArcFace(1_000_000))

    Reference:
        Deng et al., ArcFace, CVPR 2019, supplementary "parallel acceleration", for the division by classes.
    """
    if keras.backend.backend() != "jax":
        raise ValueError(f"prototypes are sharded on the JAX backend only. Received: {keras.backend.backend()}")
    devices = devices or keras.distribution.list_devices()
    mesh = keras.distribution.DeviceMesh((1, len(devices)), ["batch", _AXIS], devices)
    layout = keras.distribution.LayoutMap(mesh)
    layout[".*prototypes"] = (_AXIS, None)
    return keras.distribution.ModelParallel(layout_map=layout, batch_dim_name="batch")


def is_sharded():
    """True while a `ModelParallel` is set, and nothing should be cut out of the classes a block at a time."""
    return isinstance(keras.distribution.distribution(), keras.distribution.ModelParallel)
