"""train --strategy and launch: what they hand on."""

import sys

import pytest

import kerasface.training.launch as module
from kerasface.cli import main


def test_a_strategy_is_a_change_of_the_recipe(kerasface, tmp_path, monkeypatch):
    monkeypatch.delenv("TF_CONFIG", raising=False)
    (tmp_path / "recipe.yaml").write_text(
        "{name: a.b, epochs: 1, backbone: {name: mobilefacenet}, head: {name: arcface}}"
    )
    arguments = ("train", tmp_path / "recipe.yaml", "--data", tmp_path, "--out", tmp_path / "out", "--strategy")
    code, _, err = kerasface(*arguments, "multiworker")
    assert code == 2
    assert "nothing says which processes take part" in err
    code, _, err = kerasface(*arguments, "everywhere")
    assert code == 2
    assert "strategy.name: must be 'none', 'mirrored' or 'multiworker'. Received: 'everywhere'" in err


@pytest.mark.parametrize("code", [0, 130])
def test_launch_hands_everything_on_and_gives_the_exit_code_back(kerasface, tmp_path, monkeypatch, code):
    def launch(command, workers, *, say):
        say(f"[worker 0] {workers} [bold]")
        say(" ".join(command[3:]))
        assert command[0] == sys.executable
        return code

    monkeypatch.setattr(module, "launch", launch)
    recipe = tmp_path / "recipe.yaml"
    recipe.touch()
    words = (str(recipe), "--data", str(tmp_path), "--set", "epochs=2", "--out", "runs/first", "--resume")
    for order in (words, (*words[1:], words[0])):  # as train takes them
        found, out, _ = kerasface("launch", "--workers", "3", *order)
        assert found == code
        assert out.splitlines() == ["[worker 0] 3 [bold]", f"train {' '.join(order)} --strategy multiworker"]


def test_launch_tells_at_once_what_no_worker_would_take(kerasface, tmp_path):
    recipe = tmp_path / "recipe.yaml"
    recipe.touch()
    code, _, err = kerasface("launch", recipe)
    assert code == 2
    assert "Missing option '--data'" in err
    code, _, err = kerasface("launch", recipe, "--data", tmp_path, "--rezume")
    assert code == 2
    assert "No such option: --rezume" in err


def test_the_help_of_launch_names_what_it_needs(kerasface):
    _, out, _ = kerasface("launch", "--help")
    assert "As for kerasface train, --data is needed" in " ".join(out.split())


def test_a_worker_that_is_called_wrongly_names_the_command(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["__main__.py", "train"])  # as Python leaves it behind `python -m`
    with pytest.raises(SystemExit):
        main()
    assert "Usage: kerasface train" in capsys.readouterr().err
