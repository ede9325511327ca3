"""Run as a program on JAX's virtual CPUs: trains a head whole and sharded, and writes what came of both as JSON."""

import json
import re
import sys

import jax
import keras
import numpy as np

from kerasface import FaceModel, heads
from kerasface.training.optimization.optimizers import CoupledSGD

DIM, BATCH, STEPS = 16, 8, 3


def main(classes, *names):
    print(json.dumps({name: compare(name, int(classes)) for name in names}))


def compare(name, classes):
    keras.distribution.set_distribution(None)
    whole = train(name, classes)
    keras.distribution.set_distribution(heads.shard_prototypes())
    sharded = train(name, classes)
    return {
        "losses": [whole["losses"], sharded["losses"]],
        "worst_weight": max(
            float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))
            for ours, theirs in zip(sharded["weights"], whole["weights"], strict=True)
        ),
        "worst_gradient": max(
            float(np.max(np.abs(ours - theirs)) / np.max(np.abs(theirs)))
            for ours, theirs in zip(sharded["gradients"], whole["gradients"], strict=True)
        ),
        "rows_a_device": sharded["rows_a_device"],
        "gathered": sharded["gathered"],
    }


def train(name, classes):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (BATCH * STEPS, 4, 4, 3), dtype=np.uint8)
    labels = rng.integers(0, classes, BATCH * STEPS).astype(np.int32)
    labels[:2] = 0, classes - 1  # the first and the last device's
    keras.utils.set_random_seed(1)
    inputs = keras.Input((4, 4, 3))
    backbone = keras.Model(inputs, keras.layers.Dense(DIM)(keras.layers.Flatten()(inputs)))
    head = heads.get(name, num_classes=classes, initializer=keras.initializers.RandomNormal(stddev=1.0, seed=2))
    model = FaceModel(backbone, head)
    model.compile(CoupledSGD(0.05))
    gradients, gathered = gradients_of(head, rng.normal(size=(BATCH, DIM)).astype(np.float32), labels[:BATCH])
    history = []
    watch = keras.callbacks.LambdaCallback(on_train_batch_end=lambda _, logs: history.append(float(logs["loss"])))
    model.fit(images, labels, batch_size=BATCH, shuffle=False, verbose=0, callbacks=[watch])
    slots = [slot for slot in model.optimizer.variables if "prototypes" in slot.path]
    return {
        "losses": history,
        "weights": [np.asarray(weight) for weight in model.weights],
        "gradients": gradients,
        "rows_a_device": [
            [shard.data.shape[0] for shard in variable.value.addressable_shards]
            for variable in [head.prototypes, *slots]
        ],
        "gathered": gathered,
    }


def gradients_of(head, embeddings, labels):
    """By prototypes and embeddings, and the sizes of what devices gather from each other on the way."""
    variables = head.trainable_variables

    def loss(values, embeddings):
        with keras.StatelessScope(state_mapping=list(zip(variables, values, strict=True))):
            return keras.ops.mean(head.loss(embeddings, labels, training=True))

    step = jax.jit(jax.grad(loss, argnums=(0, 1))).lower([variable.value for variable in variables], embeddings)
    compiled = step.compile()
    shapes = re.findall(r"= \w+\[([\d,]*)\]\S* all-(?:gather|to-all)", compiled.as_text())
    sizes = [int(np.prod([int(size) for size in shape.split(",") if size])) for shape in shapes]
    by_values, by_embeddings = compiled([variable.value for variable in variables], embeddings)
    return [np.asarray(each) for each in [*by_values, by_embeddings]], max(sizes, default=0)


if __name__ == "__main__":
    main(*sys.argv[1:])
