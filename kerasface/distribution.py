"""What Keras 3's `fit` needs to run in several processes, tf.distribute.MultiWorkerMirroredStrategy's.

Two things break there (keras issue 20585, Keras 3.15): `fit` averages a first batch over the processes to build the
model from it, and its step's results, scalars, are averaged over an axis that they don't have. `FaceModel` steps around
both with what follows. tests/training/test_multi_worker.py tells when Keras no longer needs it.
"""

import keras
from keras import backend

__all__ = ["build_optimizer", "in_several_processes", "reducible"]


def in_several_processes(strategy=None):
    """True under a MultiWorkerMirroredStrategy of several workers.

    Args:
        strategy: `tf.distribute.Strategy`; the current one by default.
    """
    if backend.backend() != "tensorflow":
        return False
    import tensorflow as tf

    strategy = strategy or tf.distribute.get_strategy()
    if not isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy):
        return False
    cluster = strategy.cluster_resolver.cluster_spec().as_dict()
    return sum(len(cluster.get(job, [])) for job in ("chief", "worker")) > 1


def reducible(logs):
    """Scalars of a step as rows of one entry, where Keras averages over axis 0 of all processes' rows."""
    if not in_several_processes():
        return logs
    return keras.tree.map_structure(lambda value: value[None], logs)


def build_optimizer(model):
    """Builds what is left to build before `fit`: all of a `FaceModel` but its optimizer is built when it is made."""
    if model.optimizer is not None and not model.optimizer.built:
        with model.distribute_strategy.scope():
            model.optimizer.build(model.trainable_variables)
