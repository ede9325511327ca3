"""Heads sharded over four devices: the whole head's losses and gradients, a quarter of it on each device."""

import json
import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from kerasface import heads

PROGRAM = Path(__file__).with_name("sharded_head.py")
ROOT = Path(__file__).parents[2]
DEVICES, CLASSES, DIM, BATCH = 4, 20_000, 16, 8

jax_only = pytest.mark.skipif(keras.backend.backend() != "jax", reason="Keras shards on JAX")


def on_four_devices(program, *arguments):
    environment = {
        **os.environ,
        "XLA_FLAGS": f"--xla_force_host_platform_device_count={DEVICES}",
        "KERAS_BACKEND": "jax",
        "PYTHONPATH": str(ROOT),
    }
    command = [sys.executable, program, *map(str, arguments)]
    process = subprocess.run(command, check=True, env=environment, capture_output=True, text=True)
    return json.loads(process.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def compared():
    # The plain fused loss, state, changed negatives, sub-centres, logits of its own.
    names = ["cosface", "adaface", "curricularface", "subcenter_arcface", "sphereface2"]
    return on_four_devices(PROGRAM, CLASSES, *names)


@jax_only
def test_losses_gradients_and_weights_are_the_whole_heads(compared):
    for name, result in compared.items():
        whole, sharded = result["losses"]
        assert sharded == pytest.approx(whole, rel=1e-5), name
        assert len(whole) == 3, name
        assert result["worst_gradient"] < 1e-5, name
        assert result["worst_weight"] < 1e-5, name


@jax_only
def test_every_device_holds_a_quarter_and_never_more(compared):
    for name, result in compared.items():
        # Of the prototypes and of their momentum.
        assert result["rows_a_device"] == [[CLASSES // DEVICES] * DEVICES] * 2, name
        # What travels is of the batch's size, not of the classes'.
        assert result["gathered"] <= BATCH * CLASSES // DEVICES, name


@jax_only
def test_a_million_classes_train_within_six_times_their_own_size():
    result = on_four_devices(ROOT / "benchmarks" / "sharded_head.py")
    assert result["classes"] == 1_000_000
    assert result["losses"][-1] < result["losses"][0]
    quarter = 1_000_000 * 128 * 4 / 2**20 / DEVICES
    assert result["prototypes_mb_a_device"] == result["momentum_mb_a_device"] == [quarter] * DEVICES
    # All four devices are in this process: a whole head on each, or a gradient, would be four times the prototypes.
    assert result["peak_mb"] < 6 * result["prototypes_mb"]


@pytest.mark.skipif(keras.backend.backend() == "jax", reason="the others refuse")
def test_other_backends_say_so():
    with pytest.raises(ValueError, match="JAX backend only. Received: "):
        heads.shard_prototypes()
