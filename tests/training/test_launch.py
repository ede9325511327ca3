"""launch: as many processes as asked for, in one cluster, that live and end together."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from kerasface.errors import KerasfaceError
from kerasface.training.launch import launch

ROOT = Path(__file__).parents[2]


def command(program):
    return [sys.executable, "-c", "import json, os, signal, sys, time\n" + program]


def test_every_worker_knows_its_place_in_one_cluster():
    said = []
    assert launch(command("print(os.environ['TF_CONFIG']); print('bye', file=sys.stderr)"), 3, say=said.append) == 0
    configs = {}
    for line in said:
        if "bye" not in line:
            name, text = line.split("] ", 1)
            configs[name] = json.loads(text)
    assert sorted(configs) == ["[worker 0", "[worker 1", "[worker 2"]
    for index in range(3):
        assert configs[f"[worker {index}"]["task"] == {"type": "worker", "index": index}
    (cluster,) = {json.dumps(config["cluster"]) for config in configs.values()}
    assert len(set(json.loads(cluster)["worker"])) == 3
    assert sorted(line for line in said if "bye" in line) == [f"[worker {index}] bye" for index in range(3)]


@pytest.mark.parametrize(
    ("death", "words"),
    [
        ("os.kill(os.getpid(), signal.SIGKILL)", "worker 1 was killed by SIGKILL"),
        ("sys.exit(2)", "worker 1 ended with exit code 2"),
    ],
)
def test_one_dies_and_the_others_are_ended(death, words):
    # Worker 0 prints its id and would stay forever.
    program = f"""
if json.loads(os.environ['TF_CONFIG'])['task']['index'] == 1:
    {death}
print(os.getpid())
time.sleep(600)
"""
    said = []
    with pytest.raises(KerasfaceError, match=f"{words}, and the others were ended.*--resume"):
        launch(command(program), 2, say=said.append)
    for line in said:
        with pytest.raises(ProcessLookupError):
            os.kill(int(line.split()[-1]), 0)


def test_a_signal_goes_on_to_all_and_their_exit_code_comes_back():
    program = """
signal.signal(signal.SIGINT, lambda *_: (print('caught'), sys.exit(130)))
print('ready')
time.sleep(600)
"""
    starter = (
        "import sys\nfrom kerasface.training.launch import launch\n"
        f"sys.exit(launch({command(program)!r}, 2, say=lambda line: print(line, flush=True)))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", starter],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    try:
        said = [process.stdout.readline() for _ in range(2)]
        assert all("ready" in line for line in said)
        time.sleep(0.1)
        process.send_signal(signal.SIGINT)
        rest, _ = process.communicate(timeout=60)
    finally:
        process.kill()
    assert sorted(rest.split()) == sorted(["[worker", "0]", "caught", "[worker", "1]", "caught"])
    assert process.returncode == 130


def test_a_command_that_is_not_there():
    with pytest.raises(KerasfaceError, match="can't start /nowhere: No such file"):
        launch(["/nowhere"], 2)
