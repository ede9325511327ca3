"""Checkpoints: what is on disk is whole, whenever the process dies and whatever happens to the newest one."""

import contextlib
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

from kerasface.errors import KerasfaceError
from kerasface.training.run.checkpoints import Checkpoints


def model_of(value):
    """A model all of whose weights are one number, compiled with an optimizer that has been used."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9))
    model.optimizer.build(model.trainable_variables)
    model.optimizer.iterations.assign(int(value))
    for weight in model.weights:
        weight.assign(keras.ops.full(weight.shape, value))
    return model


def value_of(model):
    (value,) = {float(number) for weight in model.weights for number in np.ravel(weight)}
    return value


def written(folder, *steps):
    checkpoints = Checkpoints(folder)
    for step in steps:
        checkpoints.write(model_of(step), {"step": step, "history": [{"loss": 0.5}]})
    return checkpoints


def names(folder):
    return sorted(path.name for path in folder.iterdir())


def refuse(text):
    raise AssertionError(text)


def test_the_newest_comes_back_whole(tmp_path):
    written(tmp_path, 1, 2, 30)
    model, state = Checkpoints(tmp_path).newest(warn=refuse)
    assert state == {"step": 30, "history": [{"loss": 0.5}]}
    assert value_of(model) == 30
    assert int(model.optimizer.iterations) == 30


def test_keeps_two(tmp_path):
    written(tmp_path, 9, 10, 100)
    assert names(tmp_path) == ["step_00000010", "step_00000100"]


def test_a_step_can_be_written_again(tmp_path):
    written(tmp_path, 1, 2)
    Checkpoints(tmp_path).write(model_of(7), {"step": 2})
    assert names(tmp_path) == ["step_00000001", "step_00000002"]
    model, state = Checkpoints(tmp_path).newest(warn=refuse)
    assert (value_of(model), state) == (7, {"step": 2})


def test_nothing_written_is_nothing(tmp_path):
    checkpoints = Checkpoints(tmp_path / "nowhere")
    assert not checkpoints.exist()
    assert checkpoints.newest() is None
    assert written(tmp_path, 1).exist()


def truncate(path, part):
    path.write_bytes(path.read_bytes()[: int(part * path.stat().st_size)])


def flip_a_bit(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


DAMAGES = {
    "truncated model": lambda place: truncate(place / "model.keras", 0.7),
    "empty model": lambda place: truncate(place / "model.keras", 0),
    "one bit of the model": lambda place: flip_a_bit(place / "model.keras"),
    "no model": lambda place: (place / "model.keras").unlink(),
    "truncated state": lambda place: truncate(place / "state.json", 0.5),
    "other JSON": lambda place: (place / "state.json").write_text("[]"),
    "no state": lambda place: (place / "state.json").unlink(),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_newest_is_passed_over_and_said_so(damage, tmp_path):
    written(tmp_path, 1, 2)
    DAMAGES[damage](tmp_path / "step_00000002")
    said = []
    model, state = Checkpoints(tmp_path).newest(warn=said.append)
    assert (value_of(model), state["step"]) == (1, 1)
    assert len(said) == 1
    assert said[0].startswith("checkpoint step_00000002 is damaged (")
    assert said[0].endswith("; trying the one before")


def test_all_damaged_is_an_error(tmp_path):
    written(tmp_path, 1, 2)
    for place in tmp_path.iterdir():
        truncate(place / "model.keras", 0.5)
    said = []
    with pytest.raises(KerasfaceError, match="every checkpoint in .* is damaged; start again with another --out"):
        Checkpoints(tmp_path).newest(warn=said.append)
    assert len(said) == 2


def test_a_checkpoint_with_a_nan_is_not_good(tmp_path):
    checkpoints = written(tmp_path, 1, 2)
    assert checkpoints.newest_finite() == "step_00000002"
    spoilt = model_of(3)
    spoilt.weights[0].assign(keras.ops.full(spoilt.weights[0].shape, float("nan")))
    checkpoints.write(spoilt, {"step": 3})
    assert checkpoints.newest_name == "step_00000003"
    assert checkpoints.newest_finite() == "step_00000002"
    truncate(tmp_path / "step_00000002" / "model.keras", 0.5)
    assert checkpoints.newest_finite() is None


def test_after_falling_back_two_whole_ones_are_kept_again(tmp_path):
    written(tmp_path, 10, 20)
    truncate(tmp_path / "step_00000020" / "model.keras", 0.5)
    checkpoints = Checkpoints(tmp_path)
    checkpoints.newest(warn=lambda text: None)
    checkpoints.write(model_of(15), {"step": 15})
    assert names(tmp_path) == ["step_00000010", "step_00000015"]


@contextlib.contextmanager
def full_disk(room=4000):
    """No file may grow past `room` bytes, which stops a write as a full disk does: in the middle, with an OSError."""
    resource = pytest.importorskip("resource")
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (room, before[1]))
    try:
        yield
    finally:  # at once: pytest's own output may be a longer file
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_a_full_disk_leaves_the_old_ones(tmp_path):
    checkpoints = written(tmp_path, 1, 2)
    model = model_of(3)
    message = "can't write a checkpoint .*File too large.* newest whole checkpoint is step_00000002.*--resume"
    with pytest.raises(KerasfaceError, match=message), full_disk():
        checkpoints.write(model, {"step": 3})
    assert names(tmp_path) == ["step_00000001", "step_00000002"]
    assert value_of(Checkpoints(tmp_path).newest(warn=refuse)[0]) == 2


def test_a_folder_that_cannot_be_made_is_an_error(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(KerasfaceError, match="can't write a checkpoint to .*There is no whole checkpoint yet; make"):
        Checkpoints(tmp_path / "file" / "below").write(model_of(1), {"step": 1})


def test_killed_while_writing_the_old_one_stays(tmp_path):
    program = Path(__file__).with_name("writes_until_killed.py")
    subprocess.run([sys.executable, program, tmp_path], check=True, capture_output=True, timeout=300)
    for folder in tmp_path.iterdir():
        model, state = Checkpoints(folder).newest(warn=refuse)
        assert value_of(model) == state["step"] >= 2
    assert list(tmp_path.glob("*/.draft"))  # or no kill met a write

    last = next(tmp_path.glob("*/.draft")).parent
    Checkpoints(last).write(model_of(1000), {"step": 1000})
    assert not (last / ".draft").exists()
