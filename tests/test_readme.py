"""The README's example runs as it stands, and its picture is there."""

import re
from pathlib import Path

import numpy as np

README = Path(__file__).parents[1] / "README.md"


def test_the_example_runs(tmp_path, monkeypatch):
    (block,) = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
    monkeypatch.chdir(tmp_path)
    names = {}
    exec(compile(block, "README.md", "exec"), names)
    assert names["embeddings"].shape == (240, 128)
    from kerasface.edge import Embedder

    unit = Embedder.load("face.tflite").embed(names["images"][:2])
    np.testing.assert_allclose(np.linalg.norm(unit, axis=1), 1.0, rtol=1e-3)
    assert len([line for line in block.splitlines() if line.strip()]) <= 18


def test_the_first_screen_shows_a_picture():
    first_screen = "\n".join(README.read_text(encoding="utf-8").splitlines()[:40])
    (picture,) = re.findall(r"!\[.+\]\((\S+)\)", first_screen)
    assert (README.parent / picture).stat().st_size < 100_000
