"""What a run says of itself that was stopped before there was anything to say."""

import json

from kerasface.training import train
from tests.training.small_runs import recipe_of, silent


def test_before_an_epoch_has_ended_there_is_neither_model_nor_accuracy(faces, tmp_path, monkeypatch):
    monkeypatch.setattr("kerasface.training.progress.callbacks.StopOnSignal.asked", lambda self: True)
    result = train(recipe_of(), faces, tmp_path / "run", console=silent())
    assert (result.finished, result.best_epoch, result.steps) == (False, 0, 0)
    written = json.loads((tmp_path / "run" / "result.json").read_text())
    assert written["held_out_accuracy"] is written["model_path"] is None
    assert result.held_out_accuracy is result.model_path is None
