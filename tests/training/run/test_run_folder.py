"""A run's folder is one run's."""

import shutil

import pytest

from kerasface.errors import KerasfaceError
from kerasface.training import train
from kerasface.training.run.run_folder import RunFolder
from tests.training.small_runs import recipe_of, silent


def test_a_run_that_came_and_ended_meanwhile_is_not_overwritten(run, faces, tmp_path, monkeypatch):
    occupied = RunFolder.occupied

    def late(folder):  # between the first look at the folder and its lock the model is built, for seconds
        shutil.copytree(run[0], folder.path)
        return occupied(folder)

    monkeypatch.setattr(RunFolder, "occupied", late)
    with pytest.raises(KerasfaceError, match="holds a run already"):
        train(recipe_of(name="small.other"), faces, tmp_path / "run", console=silent())
    assert (tmp_path / "run" / "recipe.json").read_bytes() == (run[0] / "recipe.json").read_bytes()
