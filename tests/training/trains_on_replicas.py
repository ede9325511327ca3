"""Run as a program with STRATEGY OUT CASE…: trains each case from the same start and writes what came of it.

"mirrored" has two virtual CPUs. OUT is an .npz: "CASE/losses", the epochs' losses, and "CASE/<n> <path>", the weights
and the optimizer's slots.
"""

import os
import re
import sys

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras
import numpy as np
import tensorflow as tf

from kerasface import FaceModel, heads, losses
from kerasface.heads import PartialFC
from kerasface.training import CoupledSGD
from kerasface.training.optimization.batch_norm import synchronise_batch_norm
from kerasface.training.strategy import is_chief, open_strategy, share_of_batches

CLASSES, BATCH, BATCHES, DIM, SIZE = 23, 8, 2, 8, 6
HEADS = {f"head-{name}": {"head": {"name": name}} for name in heads.names()}
CASES = HEADS | {
    # A state that hangs on the whole batch's spread; batch norm; photos without a name, most of them on one replica.
    "adaface, batch norm, teacher": {"head": {"name": "adaface"}, "batch_norm": True, "nameless": (0, 1, 2, 9)},
    # Margins given out by rank in the whole batch; partners of a triplet on the other replica; centres.
    "elasticface+, triplet, center": {
        "head": {"name": "elasticface", "plus": True},
        "auxiliary": ("triplet", "center"),
    },
    # Both replicas must draw the same classes, those of the whole batch among them.
    "partial fc": {"head": {"name": "arcface"}, "rate": 0.5},
    # The last batch gives one replica two rows, the other one; the steps are those of one device all the same.
    "elasticface+, triplet, three left over": {
        "head": {"name": "elasticface", "plus": True},
        "auxiliary": ("triplet",),
        "left_over": 3,
    },
    "partial fc, teacher, three left over": {
        "head": {"name": "curricularface"},
        "rate": 0.5,
        "nameless": (0, 16),
        "left_over": 3,
    },
}


def main(name, out, *cases):
    if name == "mirrored":
        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = open_strategy(name)
    found = {f"{case}/{key}": value for case in cases for key, value in train(strategy, **CASES[case]).items()}
    if name == "multiworker":
        found["errors of keras"] = errors_of_keras(strategy)
    if is_chief(strategy):
        np.savez(out, **found)


class ScalarResults(FaceModel):
    """Gives a step's results as Keras does."""

    train_step = keras.Model.train_step


def errors_of_keras(strategy):
    """What becomes of Keras' own `fit`, and of ours without one of its two helps: error texts, "" if there is none."""
    with strategy.scope():
        inputs = keras.Input((2,))
        network = keras.Model(inputs, keras.layers.Dense(2)(inputs))
        plain = keras.Sequential([network])
        plain.compile("sgd", loss="sparse_categorical_crossentropy")
        scalars = ScalarResults(network, heads.get("cosface", num_classes=2))
        scalars.compile("sgd")
    return [error_of(model, strategy) for model in (plain, scalars)]


def error_of(model, strategy):
    stream = share_of_batches(strategy, lambda **_: tf.data.Dataset.from_tensors((np.ones((4, 2)), np.ones(4, int))))
    try:
        model.fit(stream, steps_per_epoch=1, verbose=0, shuffle=False)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return ""


def train(strategy, head, rate=None, batch_norm=False, auxiliary=(), nameless=(), left_over=0):
    keras.utils.set_random_seed(1)
    options = {"center": {"num_classes": CLASSES}}
    with strategy.scope():
        inputs = keras.Input((SIZE, SIZE, 3))
        features = keras.layers.Conv2D(4, 3, kernel_regularizer=keras.regularizers.L2(1e-2))(inputs)
        if batch_norm:
            features = keras.layers.BatchNormalization()(features)
        backbone = keras.Model(inputs, keras.layers.Dense(DIM)(keras.layers.Flatten()(features)))
        start = keras.initializers.RandomNormal(stddev=1.0, seed=3)  # the usual 0.01 makes any step a large one
        layer = heads.get(head["name"], num_classes=CLASSES, initializer=start, **{**head, "name": None})
        model = FaceModel(
            backbone,
            PartialFC(layer, rate=rate) if rate else layer,
            auxiliary=[(losses.get(name, **options.get(name, {})), 0.1) for name in auxiliary],
            teacher_weight=2.0 if nameless else 0.0,
        )
        # Small steps: what rounding differs by would grow with larger ones, and is not what is compared.
        model.compile(CoupledSGD(0.005))
    synchronise_batch_norm(model)
    options = {"verbose": 0, "shuffle": False}
    if left_over:  # Keras spreads the batches
        stream = batches(nameless, left_over)
    else:
        stream = share_of_batches(strategy, batches, nameless=nameless)
        options["steps_per_epoch"] = BATCHES
    epochs = [model.fit(stream, **options).history["loss"][0] for _ in range(2)]
    variables = [*model.weights, *model.optimizer.variables]
    # Read on every replica's device: they must hold the same.
    for variable in variables:
        copies = [np.asarray(copy) for copy in strategy.experimental_local_results(variable.value)]
        assert all(np.array_equal(copy, copies[0]) for copy in copies), variable.path
    # Numbered names of layers count up within a process.
    named = {
        f"{index:02d} {re.sub(r'_[0-9]+', '', variable.path.split('/')[-1])}": np.asarray(variable)
        for index, variable in enumerate(variables)
    }
    # Of a batch with something left over Keras weighs each replica's share by its rows, and shows another mean.
    return named if left_over else {"losses": np.array(epochs), **named}


def batches(nameless, left_over=0, replicas=1, worker=0, workers=1):
    rng = np.random.default_rng(0)
    count = BATCH * BATCHES + left_over
    images = rng.integers(0, 256, (count, SIZE, SIZE, 3), dtype=np.uint8)
    # Few people, so that a triplet finds its partners on the other replica.
    labels = (np.arange(count) * 5 % 7).astype(np.int32)
    targets = labels
    if nameless:
        labels[list(nameless)] = -1
        targets = {"label": labels, "teacher": rng.normal(size=(count, DIM)).astype(np.float32)}
    if left_over:
        return tf.data.Dataset.from_tensor_slices((images, targets)).batch(BATCH)
    rows = np.arange(count).reshape(BATCHES, workers, -1)[:, worker].ravel()
    own = tf.nest.map_structure(lambda part: part[rows], (images, targets))
    return tf.data.Dataset.from_tensor_slices(own).batch(BATCH // replicas, drop_remainder=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
