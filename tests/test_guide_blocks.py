"""Python on the guides' pages runs as it stands, on a reader's files made small."""

import os
import re
import subprocess
import sys
import textwrap

import numpy as np
import pytest
from PIL import Image

from kerasface.errors import KerasfaceError
from tests.doc_scripts import ROOT

BLOCK = re.compile(r"^ *```python\n(.*?)^ *```", re.DOTALL | re.MULTILINE)


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run_page(name, count, names=None, without=None):
    """Runs a page's Python from top to bottom in one namespace, which is returned."""
    blocks = BLOCK.findall((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8"))
    blocks = [textwrap.dedent(block) for block in blocks if not (without and without in block)]
    assert len(blocks) == count
    names = {"__name__": "__main__", **(names or {})}
    for block in blocks:
        exec(compile(block, f"{name}.md", "exec"), names)
    return names


def test_choosing_a_head():
    head = run_page("choosing-a-head", 1)["head"]
    assert head.num_classes == 1000


def test_a_head_of_ones_own_in_commands(here):
    from kerasface.data import render_identities, write_class_folder
    from kerasface.export import load_trained

    page = (ROOT / "docs" / "choosing-a-head.md").read_text(encoding="utf-8")
    for name, text in re.findall(r'^```python title="(\w+\.py)"\n(.*?)^```', page, re.DOTALL | re.MULTILINE):
        (here / name).write_text(text, encoding="utf-8")
    write_class_folder(*render_identities(10, 4, seed=3), "faces")
    (head,) = re.findall(r"`(head: \{name: growing_cosface.*?\})`", page)
    recipe = ["name: tiny.growing", "steps: 3", "batch_size: 8", "data: {held_out: 0.4}", head]
    recipe += ["backbone: {name: mobilefacenet, width: 0.125, embedding_dim: 16}", "optimizer: {name: adamw}"]
    (here / "recipe.yaml").write_text("\n".join([*recipe, "validation: {pairs: 20, folds: 2}"]))

    command = [sys.executable, "faces.py", "train", "recipe.yaml", "--data", "faces"]
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 0, done.stderr[-2000:]
    with pytest.raises(KerasfaceError, match="needs GrowingCosFace, a class of my_head.py"):
        load_trained("runs/latest/best.keras")
    names = {"__name__": "__main__"}
    exec(compile((here / "my_head.py").read_text(), "my_head.py", "exec"), names)
    head = load_trained("runs/latest/best.keras")[0].head
    assert (int(head.steps_seen), head.growing_steps) == (3, 2000)
    cosine = np.float32([0.5])
    np.testing.assert_allclose(head.adjust_target(cosine, None), 0.5 - 0.35 * 3 / 2000, rtol=1e-6)


def test_data(here):
    from kerasface.data import open_faces, write_class_folder, write_record_file, write_verification_bin

    labels = np.repeat(np.arange(40), 2)
    images = np.random.default_rng(0).integers(0, 256, (80, 112, 112, 3), dtype=np.uint8)
    write_class_folder(images, labels, "faces")
    (here / "ms1m").mkdir()
    write_record_file(open_faces("faces"), "ms1m/train.rec")
    encoded = [path.read_bytes() for path in sorted((here / "faces").rglob("*.png"))]
    write_verification_bin(encoded[:8], [True, False, True, False], "lfw.bin")
    names = run_page("data", 3)
    assert len(names["held_out"].names) == 2
    assert list(names["same"]) == [True, False, True, False]
    assert len(names["images"]) == 8
    batch, people = next(iter(names["stream"]))
    assert batch.shape == (64, 112, 112, 3)
    assert np.unique(people, return_counts=True)[1].tolist() == [4] * 16


def test_alignment(here, hopper, fetched_assets, capsys):
    from kerasface.alignment import align_tree

    (here / "photos").mkdir()
    Image.fromarray(np.concatenate([hopper, hopper[:, ::-1]], axis=1)).save("photos/two.png")
    align_tree("photos", "aligned")
    names = run_page("alignment", 2, without="apache_beam")
    assert names["report"].counts["several"] == 1
    assert "['two.png']" in capsys.readouterr().out
    assert (here / "centres" / "two.jpg").is_file()


def test_evaluation(here):
    rows = np.random.default_rng(0).normal(size=(1_000_000, 4)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    known = {"blocks": np.split(rows, 10), "probes": rows[[0, 0, 1, 1]], "labels": np.array([0, 0, 1, 1])}
    result = run_page("evaluation", 1, known)["result"]
    assert result.distractors[-1] == 1_000_000
