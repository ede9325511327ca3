"""A head of a million classes, sharded over four devices: what each holds, and the memory of the whole process.

    python benchmarks/sharded_head.py [--quick] [--json PATH]

ArcFace, D = 128, B = 32, float32, SGD with momentum, three steps of `FaceModel.train_on_batch` on JAX. The devices are
virtual CPUs: all of them are in the one process whose memory is counted. Needs kerasface[backends].
"""

import json
import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"
os.environ["JAX_PLATFORMS"] = "cpu"

import keras
import numpy as np
from measure import PeakMemory, arguments, machine

from kerasface import FaceModel
from kerasface.heads import ArcFace, shard_prototypes
from kerasface.training import CoupledSGD

CLASSES, QUICK, DIM, BATCH, STEPS = 1_000_000, 20_000, 128, 32, 3


def train(classes):
    """Trains a few steps; returns what they came to and what they took."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    keras.distribution.set_distribution(shard_prototypes())
    inputs = keras.Input((4, 4, 3))
    backbone = keras.Model(inputs, keras.layers.Dense(DIM)(keras.layers.Flatten()(inputs)))
    images = rng.integers(0, 256, (BATCH, 4, 4, 3), dtype=np.uint8)
    labels = rng.integers(0, classes, BATCH).astype(np.int32)
    with PeakMemory() as memory:
        model = FaceModel(backbone, ArcFace(classes))
        model.compile(CoupledSGD(0.1))
        losses = [float(model.train_on_batch(images, labels, return_dict=True)["loss"]) for _ in range(STEPS)]
    (slot,) = [variable for variable in model.optimizer.variables if "prototypes" in variable.path]
    shards = [
        [shard.data.nbytes / 2**20 for shard in variable.value.addressable_shards]
        for variable in (model.head.prototypes, slot)
    ]
    return {
        "classes": classes,
        "embedding": DIM,
        "batch": BATCH,
        "devices": len(shards[0]),
        "losses": losses,
        "prototypes_mb": classes * DIM * 4 / 2**20,
        "prototypes_mb_a_device": shards[0],
        "momentum_mb_a_device": shards[1],
        "peak_mb": memory.megabytes,
    }


if __name__ == "__main__":
    options = arguments(__doc__)
    result = {"machine": machine(), **train(QUICK if options.quick else CLASSES)}
    print(json.dumps(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
