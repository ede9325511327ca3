"""One recipe on all GPUs of a machine, or on several hosts: the same losses as on one device.

    python examples/08_several_gpus_and_hosts.py [FACES]

FACES has a sub-folder of aligned photos for each person, 16 people or more: a quarter of them is held out of training.
Without it, synthetic people are rendered. Without a GPU it takes two virtual CPUs, which shows the way and not the
speed. On several hosts run the same line on each, with its place in TF_CONFIG (docs/scaling.md). As a command:
`kerasface train RECIPE --strategy mirrored`.
"""

import os
import sys

import tensorflow as tf

from kerasface.data import render_identities, write_class_folder
from kerasface.training import Recipe, train

several_hosts = "TF_CONFIG" in os.environ
if not several_hosts and os.path.exists("several"):
    sys.exit("several holds an earlier run: move it away first")
if not several_hosts and not tf.config.list_physical_devices("GPU"):
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)

faces = sys.argv[1] if len(sys.argv) > 1 else "rendered"
if faces == "rendered" and not os.path.isdir(faces):
    write_class_folder(*render_identities(16, 8, seed=0), faces)

recipe = Recipe.model_validate(
    {
        "name": "spherefacenet.cosface_example",
        "epochs": 2,
        "batch_size": 16,  # of all replicas together
        "backbone": {"name": "spherefacenet", "depth": 4, "embedding_dim": 64, "input_shape": [112, 112, 3]},
        "head": {"name": "cosface", "scale": 16.0, "margin": 0.1},
        "optimizer": {"name": "adamw", "learning_rate": 0.001},
        "strategy": {"name": "multiworker" if several_hosts else "mirrored"},
        "data": {"held_out": 0.25},
        "validation": {"pairs": 40, "folds": 2},
    }
)
result = train(recipe, faces, "several")
if result.best_epoch:  # of several hosts only the first one validates and writes
    print(f"held-out verification {result.held_out_accuracy:.1%}; {result.model_path}")
