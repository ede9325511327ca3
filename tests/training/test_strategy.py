"""What opens a strategy, and what is refused."""

import json

import keras
import pytest
import tensorflow as tf

from kerasface.errors import KerasfaceError
from kerasface.training.optimization.batch_norm import is_synchronised, saved_as_local, synchronise_batch_norm
from kerasface.training.strategy import _resolver, agreed, is_chief, open_strategy, share_of_batches

SLURM = {
    "SLURM_PROCID": "2",
    "SLURM_STEP_NUM_TASKS": "4",
    "SLURM_STEP_TASKS_PER_NODE": "2(x2)",
    "SLURM_STEP_NODELIST": "gpu[07-08]",
    "SLURM_GPUS_ON_NODE": "0",
}


@pytest.fixture(autouse=True)
def no_cluster(monkeypatch):
    for name in ("TF_CONFIG", *SLURM):
        monkeypatch.delenv(name, raising=False)


def test_none_is_what_tensorflow_is_in():
    strategy = open_strategy("none")
    assert strategy is tf.distribute.get_strategy()
    assert is_chief(strategy)
    assert (agreed(strategy, None), agreed(strategy, 15)) == (False, True)


def test_tf_config_names_the_cluster(monkeypatch):
    cluster = {"worker": ["10.0.0.1:2222", "10.0.0.2:2222"]}
    monkeypatch.setenv("TF_CONFIG", json.dumps({"cluster": cluster, "task": {"type": "worker", "index": 1}}))
    resolver = _resolver()
    assert resolver.cluster_spec().as_dict() == cluster
    assert resolver.task_id == 1


def test_a_slurm_step_names_it_too(monkeypatch):
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    resolver = _resolver()
    hosts = ["gpu07:8888", "gpu07:8889", "gpu08:8888", "gpu08:8889"]
    assert resolver.cluster_spec().as_dict() == {"worker": hosts}
    assert (resolver.task_type, resolver.task_id) == ("worker", 2)


@pytest.mark.parametrize(
    ("environment", "message"),
    [
        ({}, "nothing says which processes take part.*kerasface launch"),
        ({"TF_CONFIG": "{"}, "TF_CONFIG names no cluster: .*Received: {"),
        ({"TF_CONFIG": "{}"}, "TF_CONFIG names no cluster: expected workers alone"),
        (
            {"TF_CONFIG": '{"cluster": {"worker": ["a:1"], "ps": ["b:1"]}, "task": {"type": "ps", "index": 0}}'},
            "expected workers alone",
        ),
        ({"SLURM_STEP_NODELIST": "gpu[07-08]"}, "the Slurm step names no cluster"),
    ],
)
def test_what_names_no_cluster_is_refused(environment, message, monkeypatch):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(KerasfaceError, match=message):
        open_strategy("multiworker")


def test_one_device_gets_the_plain_stream():
    def batches(count, replicas=1):
        return tf.data.Dataset.range(count * replicas)

    stream = share_of_batches(open_strategy("none"), batches, count=3)
    assert list(stream.as_numpy_iterator()) == [0, 1, 2]


@pytest.mark.parametrize(
    ("wanted", "batch_size", "replicas", "expected"),
    [
        (None, 62, 2, True),
        (None, 64, 2, False),
        (None, 8, 1, False),
        (True, 512, 2, True),
        (True, 8, 1, False),
        (False, 8, 2, False),
    ],
)
def test_few_faces_a_replica_synchronise_by_themselves(wanted, batch_size, replicas, expected):
    assert is_synchronised(wanted, batch_size=batch_size, replicas=replicas) is expected


def test_synchronised_layers_are_saved_as_plain_ones(tmp_path):
    inner = keras.Sequential([keras.Input((4,)), keras.layers.BatchNormalization(), keras.layers.Dense(2)])
    model = keras.Sequential([keras.Input((4,)), inner, keras.layers.BatchNormalization()])
    synchronise_batch_norm(model)
    layers = [inner.layers[0], model.layers[-1]]
    assert all(layer.synchronized for layer in layers)
    with saved_as_local(model):
        model.save(tmp_path / "model.keras")
    assert all(layer.synchronized for layer in layers)
    saved = keras.saving.load_model(tmp_path / "model.keras")
    assert not any(layer.synchronized for layer in (saved.layers[0].layers[0], saved.layers[-1]))
