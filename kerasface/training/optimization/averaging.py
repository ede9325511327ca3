"""Averages of the weights (EMA) that a run keeps beside the weights, without ever falling into them."""

import keras

from kerasface.training.optimization.optimizers import CoupledSGD

__all__ = ["AveragedAdamW", "AveragedSGD", "follow", "start_averages"]


class _GoesOn:
    """Keras puts the averages in the weights' place at the end of every `fit`, and a run has a `fit` an epoch."""

    def finalize_variable_values(self, var_list):
        """Leaves the weights as they are; Keras calls it."""


@keras.saving.register_keras_serializable(package="kerasface")
class AveragedSGD(_GoesOn, CoupledSGD):
    """`CoupledSGD(use_ema=True)` that goes on from the weights themselves in the next `fit`.

    Example:
        >>> AveragedSGD(0.1, use_ema=True, ema_momentum=0.999)
    """


@keras.saving.register_keras_serializable(package="kerasface")
class AveragedAdamW(_GoesOn, keras.optimizers.AdamW):
    """Keras' `AdamW(use_ema=True)` that goes on from the weights themselves in the next `fit`.

    Example:
        >>> AveragedAdamW(1e-3, use_ema=True, ema_momentum=0.999)
    """


def start_averages(model):
    """Lets the averages of a model that hasn't begun to train be its weights; Keras' own are zeros until a step counts.

    Under a loss scale the first steps often don't.

    Args:
        model: `FaceModel`, compiled, its optimizer built.
    """
    for variable, average in _averages(model):
        average.assign(variable)


def follow(twin, model):
    """Gives a model what another one has learnt: the averages where its optimizer keeps some, else the weights.

    What is not trained, heads' state and batch norm's statistics, is copied as it is; under averages the latter are
    wrong until `estimate_statistics` has seen some images.

    Args:
        twin: model of the same layers, of any precision.
        model: compiled `FaceModel`.
    """
    averages = {id(variable): average for variable, average in _averages(model)}
    for ours, theirs in zip(twin.weights, model.weights, strict=True):
        ours.assign(keras.ops.convert_to_numpy(averages.get(id(theirs), theirs)))


def _averages(model):
    # A loss scale stands around the optimizer that knows the averages.
    optimizer = getattr(model.optimizer, "inner_optimizer", model.optimizer)
    if not optimizer.use_ema:
        return []
    pairs = zip(optimizer._trainable_variables, optimizer._model_variables_moving_average, strict=True)
    return [(variable, average) for variable, average in pairs if average is not None]
