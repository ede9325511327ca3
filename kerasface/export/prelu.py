"""PReLU in operators that integer kernels have: exact, and without one more multiplication."""

import keras
import numpy as np
from keras import ops

from kerasface.errors import KerasfaceError
from kerasface.export.channels import consumers, is_plain_convolution, is_scalable, producer, scale_outputs

__all__ = ["SlopedMaximum", "without_prelu"]


@keras.saving.register_keras_serializable(package="kerasface")
class SlopedMaximum(keras.layers.Layer):
    """`max(x, a·x)`: equal to PReLU wherever its slope `a ≤ 1`.

    XNNPACK runs PReLU in floating point alone; multiplication and maximum it runs in int8 too.

    Call arguments:
        x: (N, H, W, C) float.

    Returns:
        the same shape.

    Example:
        >>> SlopedMaximum()(x)
    """

    def build(self, input_shape):
        """Creates the slopes, (1, 1, C) as `keras.layers.PReLU` shares them."""
        self.alpha = self.add_weight(shape=(1, 1, input_shape[-1]), name="alpha")

    def call(self, x):
        """One slope a channel."""
        return ops.maximum(x, self.alpha * x)

    def compute_output_shape(self, input_shape):
        """Same as the input's."""
        return input_shape


def without_prelu(backbone):
    """Returns a copy of a backbone that gives the same embeddings with `max(x, a·x)` in the place of PReLU.

    A slope above 1 is brought below it by turning its channel around: `PReLU_a(x) = −PReLU_{1/a}(−a·x)`. The factor −a
    goes into the batch norm or convolution before, the minus into the convolutions behind, so the rewrite is exact and
    costs nothing.

    Args:
        backbone: functional `keras.Model`.

    Returns:
        `keras.Model` with weights of its own.

    Raises:
        KerasfaceError: slopes that differ from place to place, or one above 1 whose neighbors can't take its factors
            (a shortcut, a branch); the layer is named.

    Example:
        >>> integer_ready = without_prelu(backbones.get("mobilefacenet"))
    """
    copy = keras.models.clone_model(backbone, clone_function=_substitute, recursive=True)
    copy.set_weights(backbone.get_weights())
    for layer in copy.layers:
        if isinstance(layer, SlopedMaximum):
            _turn_steep_channels(layer)
    return copy


def _substitute(layer):
    if not isinstance(layer, keras.layers.PReLU):
        return type(layer).from_config(layer.get_config())
    if layer.alpha.shape[:-1] != (1, 1):
        raise KerasfaceError(
            f"int8-full needs one slope a channel in PReLU: {layer.name} has one for each place. Received: slopes of "
            f"{tuple(layer.alpha.shape)}. Train with shared_axes=[1, 2], or export int8."
        )
    return SlopedMaximum(name=layer.name, dtype=layer.dtype_policy)


def _turn_steep_channels(layer):
    alpha = np.array(layer.alpha)
    steep = alpha[0, 0] > 1
    if not steep.any():
        return
    before, behind = producer(layer), consumers(layer)
    _require(len(before._outbound_nodes) == 1 and is_scalable(before), layer, alpha, before)
    for consumer in behind:
        _require(is_plain_convolution(consumer) and len(consumer._inbound_nodes) == 1, layer, alpha, consumer)
    scale_outputs(before, np.where(steep, -alpha[0, 0], 1))
    for consumer in behind:
        kernel, *bias = consumer.get_weights()
        consumer.set_weights([kernel * np.where(steep, -1, 1)[:, None], *bias])
    layer.alpha.assign(np.where(steep, 1 / np.where(steep, alpha, 1), alpha))


def _require(condition, layer, alpha, neighbor):
    if not condition:
        raise KerasfaceError(
            f"int8-full writes PReLU as max(x, a·x), right for slopes a up to 1. {layer.name} has steeper ones, and "
            f"{neighbor.name} beside it can't take the factors that would turn them. Received: a up to "
            f"{alpha.max():.3g} in {layer.name}. Export int8, which keeps PReLU."
        )
