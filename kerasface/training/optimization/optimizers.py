"""SGD with coupled weight decay, as the papers' solvers have it."""

import keras
from keras import ops

__all__ = ["CoupledSGD"]


@keras.saving.register_keras_serializable(package="kerasface")
class CoupledSGD(keras.optimizers.SGD):
    """SGD whose weight decay goes through the momentum: g ← g + decay · w, then the usual step.

    That is L2 regularisation of weight decay / 2, and what Caffe, MXNet and PyTorch call weight decay. Keras' own
    `SGD(weight_decay=)` is decoupled: with momentum .9 it is about ten times weaker at the same number.

    A gradient of a few rows (`PartialFC` on the TensorFlow backend) changes those rows alone, of the weight and of the
    momentum, as the published PartialFC does: the others neither decay nor coast until they are sampled again. Keras'
    own optimizers would work through the whole (C, D) at every step.

    Args:
        learning_rate: float or schedule; 0.1 in the papers.
        momentum: 0.9 in the papers.
        coupled_decay: per step; 5e-4 in the papers. Weights of all ranks decay, as in their code, but for those that
            `exclude_from_weight_decay` names.
        **options: see `keras.optimizers.SGD`.

    Raises:
        ValueError: `weight_decay` is given too.

    Example:
        >>> model.compile(CoupledSGD(0.1, momentum=0.9, coupled_decay=5e-4))

    Reference:
        The published solvers of SphereFace (Caffe), ArcFace (MXNet and PyTorch).
    """

    def __init__(self, learning_rate=0.1, momentum=0.9, coupled_decay=5e-4, **options):
        if options.get("weight_decay"):
            raise ValueError(f"give coupled_decay, not both decays. Received: weight_decay={options['weight_decay']}")
        super().__init__(learning_rate, momentum, **options)
        self.coupled_decay = coupled_decay

    def update_step(self, gradient, variable, learning_rate):
        """One variable's step; Keras calls it."""
        if hasattr(gradient, "indices") and hasattr(gradient, "dense_shape"):
            return self._update_rows(gradient, variable, learning_rate)
        decay = ops.cast(self._decay_of(variable), variable.dtype) * ops.convert_to_tensor(variable)
        return super().update_step(ops.add(gradient, decay), variable, learning_rate)

    def _decay_of(self, variable):
        return self.coupled_decay if self._use_weight_decay(variable) else 0.0

    def _update_rows(self, gradient, variable, learning_rate):
        import tensorflow as tf

        index, decay = self._get_variable_index(variable), self._decay_of(variable)
        # Keras hands over its own variable or, for tf.distribute, TensorFlow's inside it.
        variable = variable.value if isinstance(variable, keras.Variable) else variable
        rows, place = tf.unique(gradient.indices)
        values = tf.math.unsorted_segment_sum(gradient.values, place, tf.size(rows))
        values += tf.cast(decay, values.dtype) * tf.gather(variable, rows)
        step = -tf.cast(learning_rate, values.dtype) * values
        if self.momentum:
            momentum = self.momentums[index].value
            moved = self.momentum * tf.gather(momentum, rows) + step
            momentum.scatter_update(tf.IndexedSlices(moved, rows))
            step = self.momentum * moved + step if self.nesterov else moved
        variable.scatter_add(tf.IndexedSlices(step, rows))

    def get_config(self):
        """Returns the arguments that rebuild this optimizer."""
        return {**super().get_config(), "coupled_decay": self.coupled_decay}
