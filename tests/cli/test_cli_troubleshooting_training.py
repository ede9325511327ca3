"""Every `kerasface train` that docs/troubleshooting.md answers with runs as it stands there, on small faces."""

import itertools
import json
import re

import pytest
import yaml

from kerasface.data import open_faces, write_record_file
from tests.test_guides import guide, written_commands
from tests.training.small_runs import SMALLEST, tree_of

PAGE = guide("troubleshooting")
COMMANDS = sorted({tuple(words) for words in written_commands(PAGE) if words[0] == "train" and len(words) > 1})
# Settings that the page names without the command before them.
(SHORTCUT,) = re.findall(r"`(--set augmentation[^`]+)`", PAGE.replace("\n", " "))
(NORM,) = re.findall(r"`(strategy.sync_batch_norm: true)`", PAGE)
BARE = ("train", "recipe.yaml", "--data", "faces/")
COMMANDS += [(*BARE, *SHORTCUT.split()), (*BARE, "--strategy", "mirrored", "--set", NORM.replace(": ", "="))]


@pytest.fixture
def here(tmp_path, monkeypatch, faces):
    """The reader's folder: a recipe, faces and insightface's set."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "faces").symlink_to(faces)
    (tmp_path / "ms1m").mkdir()
    write_record_file(open_faces(faces), "ms1m/train.rec")
    tree = tree_of(backbone=SMALLEST, head={"name": "cosface", "scale": 16.0}, epochs=1)
    (tmp_path / "recipe.yaml").write_text(yaml.safe_dump(tree))
    return tmp_path


def test_the_page_answers_by_training():
    said = " ".join(" ".join(command) for command in COMMANDS)
    for words in ("chunk_size", "accumulation", "mixed_bfloat16", "train.rec", "mirrored", "blur", "sync_batch_norm"):
        assert words in said


@pytest.mark.parametrize("words", COMMANDS, ids=lambda words: " ".join(words[3:]))
def test_it_trains(kerasface, here, words):
    code, out, err = kerasface(*words)
    assert code == 0, err
    assert "held-out verification" in out
    recipe = json.loads((here / "runs" / "latest" / "recipe.json").read_text())
    changes = [value for option, value in itertools.pairwise(words) if option == "--set"]
    changes += ["strategy.name=mirrored"] if "--strategy" in words else []
    for change in changes:
        path, value = change.split("=")
        found = recipe
        for part in path.split("."):
            found = found[part]
        assert found == yaml.safe_load(value), change
