"""Batch normalisation that trains with TensorFlow's fused kernels."""

import keras

__all__ = ["BatchNormalization"]

_FUSED_DTYPES = ("float32", "bfloat16", "float16")


@keras.saving.register_keras_serializable(package="kerasface")
class BatchNormalization(keras.layers.BatchNormalization):
    """Keras' batch normalisation, of one kernel instead of some ten where it trains on the TensorFlow backend.

    Keras writes the training step as means, squares, products and sums over the whole feature map, each read from and
    written to memory, in float32 also where the map is bfloat16; a network of many small convolutions spends more time
    on them than on its arithmetic. The values and statistics are Keras' own up to rounding. Inference, and with it what
    is exported, other backends, statistics over all replicas, masks and maps of another rank than (N, H, W, C) go
    Keras' way.

    Args:
        **options: see `keras.layers.BatchNormalization`.

    Example:
        >>> BatchNormalization(momentum=0.9, epsilon=1e-5)(feature_map, training=True)

    Reference:
        Ioffe and Szegedy, Batch Normalization, ICML 2015, algorithm 1.
    """

    def call(self, inputs, training=None, mask=None):
        """Normalises; in training by the batch's statistics."""
        if not (training and self.trainable and mask is None and self._fuses(inputs)):
            return super().call(inputs, training=training, mask=mask)
        import tensorflow as tf

        beta = tf.convert_to_tensor(self.beta)
        gamma = tf.convert_to_tensor(self.gamma) if self.scale else tf.ones_like(beta)
        outputs, mean, variance = tf.compat.v1.nn.fused_batch_norm(
            inputs, tf.cast(gamma, tf.float32), tf.cast(beta, tf.float32), epsilon=self.epsilon, is_training=True
        )
        # The kernel's variance is divided by n − 1, Keras' by n.
        count = tf.cast(tf.size(inputs) // inputs.shape[-1], tf.float32)
        variance *= tf.maximum(count - 1.0, 1.0) / count
        self._follow(self.moving_mean, mean)
        self._follow(self.moving_variance, variance)
        return outputs

    def _fuses(self, inputs):
        return (
            keras.backend.backend() == "tensorflow"
            and not self.synchronized
            and not self.renorm
            and self.center
            and len(inputs.shape) == 4
            and self.axis in (-1, 3)
            and keras.backend.standardize_dtype(inputs.dtype) in _FUSED_DTYPES
            and self.compute_dtype == keras.backend.standardize_dtype(inputs.dtype)
        )

    def _follow(self, moving, value):
        value = keras.ops.cast(value, moving.dtype)
        moving.assign(moving * self.momentum + value * (1.0 - self.momentum))
