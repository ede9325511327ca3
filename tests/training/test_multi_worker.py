"""Two real processes over loopback train as one does, and a killed job goes on where it was."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml
from rich.console import Console

from kerasface.errors import KerasfaceError
from kerasface.training import Recipe, train
from kerasface.training.launch import launch
from tests.training.small_runs import STEPS, assert_same_models, final, tree_of
from tests.training.test_replicas import PROGRAM, ROOT, assert_same, on_one_device
from tests.training.trains_on_replicas import CASES, HEADS

pytestmark = pytest.mark.multiworker

COMMAND = [sys.executable, "-c", "from kerasface.cli import main; main()"]


@pytest.fixture(autouse=True)
def own_code(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(ROOT))


def test_two_processes_give_the_single_devices_losses_and_weights(tmp_path):
    cases = [case for case in CASES if case not in HEADS]
    assert launch([sys.executable, PROGRAM, "multiworker", tmp_path / "two.npz", *cases], 2) == 0
    found = dict(np.load(tmp_path / "two.npz"))
    # An empty one: Keras has mended that part of keras issue 20585, and that of kerasface/distribution.py can go.
    build, reduce = found.pop("errors of keras")
    assert "PerReplica" in build
    assert "reduction dimension 0" in reduce
    assert_same(found, on_one_device(tmp_path / "one.npz", cases))


@pytest.fixture(scope="module")
def recipe(tmp_path_factory):
    # A head whose state hangs on the whole batch; no batch norm, whose many small collectives take a minute to trace.
    tree = tree_of(head={"name": "adaface"}, checkpoint_minutes=0.002)
    path = tmp_path_factory.mktemp("recipe") / "recipe.yaml"
    path.write_text(yaml.safe_dump(tree))
    return path


@pytest.fixture(scope="module")
def whole(recipe, faces, tmp_path_factory):
    """A run of two processes that nothing interrupted."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    said = run(recipe, faces, out)
    assert any("epoch 2/2" in line for line in said)
    # Who is not the chief says nothing and writes nothing.
    assert not [line for line in said if line.startswith("[worker 1] ") and "W0" not in line]
    return out


def run(recipe, faces, out, *more):
    said = []
    command = [*COMMAND, "train", recipe, "--data", faces, "--out", out, "--strategy", "multiworker", *more]
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
    os.environ.update(environment)
    assert launch(command, 2, say=said.append) == 0
    return said


def test_a_recipe_trains_in_two_processes_as_in_one(whole, recipe, faces, tmp_path):
    train(Recipe.read(recipe), faces, tmp_path / "one", console=Console(file=io.StringIO()))
    (model, state), (expected, expected_state) = final(whole), final(tmp_path / "one")
    for ours, theirs in zip(model.weights, expected.weights, strict=True):
        np.testing.assert_allclose(np.asarray(ours), np.asarray(theirs), rtol=1e-3, atol=1e-5, err_msg=ours.path)
    for line, other in zip(state["history"], expected_state["history"], strict=True):
        assert line["loss"] == pytest.approx(other["loss"], rel=1e-5)


def test_a_killed_worker_ends_the_job_and_it_resumes_to_the_same_bits(whole, recipe, faces, tmp_path):
    out = tmp_path / "killed"
    command = ["launch", "--workers", "2", recipe, "--data", faces, "--out", out]
    job = subprocess.Popen([*COMMAND, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        while not list((out / "checkpoints").glob("step_*")) and job.poll() is None:
            time.sleep(0.01)
        second = sorted(children(job.pid))[-1]
        os.kill(second, signal.SIGKILL)
        said, _ = job.communicate(timeout=120)
    finally:
        job.kill()
    assert job.returncode == 2, said
    assert "error: worker " in said
    # The other one noticed it by itself.
    assert "[worker 0] error: another process of this run is gone" in said
    assert "Start again, with --resume where the run has a checkpoint" in said
    assert 0 < final(out)[1]["step"] < STEPS

    said = run(recipe, faces, out, "--resume")
    assert any("resuming at step" in line for line in said)
    (model, state), (expected, expected_state) = final(out), final(whole)
    assert state["step"] == expected_state["step"] == 2 * STEPS
    assert_same_models(model, expected)


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_ctrl_c_stops_all_processes_at_the_same_step(recipe, faces, tmp_path):
    out = tmp_path / "stopped"
    command = ["launch", "--workers", "2", recipe, "--data", faces, "--out", out]
    job = subprocess.Popen([*COMMAND, *command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    try:
        while not list((out / "checkpoints").glob("step_*")) and job.poll() is None:
            time.sleep(0.01)
        job.send_signal(signal.SIGINT)
        said, _ = job.communicate(timeout=120)
    finally:
        job.kill()
    assert job.returncode == 130, said
    step = final(out)[1]["step"]
    assert 0 < step < 2 * STEPS
    assert {line.split("stopped at step ")[1].split(";")[0] for line in said.splitlines() if "stopped at" in line} == {
        str(step)
    }


def test_a_batch_that_cannot_be_shared_is_refused(recipe, faces, tmp_path):
    command = [*COMMAND, "train", recipe, "--data", faces, "--out", tmp_path / "out", "--set", "batch_size=9"]
    said = []
    with pytest.raises(KerasfaceError, match="ended with exit code 2"):
        launch([*command, "--strategy", "multiworker"], 2, say=said.append)
    assert any("2 replicas can't share a batch equally. Received: batch_size=9" in line for line in said)


def test_a_run_that_the_chief_refuses_is_told_without_a_traceback(whole, recipe, faces):
    command = [*COMMAND, "train", recipe, "--data", faces, "--out", whole, "--strategy", "multiworker"]
    said = []
    with pytest.raises(KerasfaceError, match="worker 0 ended with exit code 2"):
        launch(command, 2, say=said.append)
    assert any("[worker 0] error:" in line and "holds a run already: add --resume" in line for line in said)
    assert not [line for line in said if "Traceback" in line]  # of the other one, which built its model meanwhile
