import signal

import numpy as np
import pytest
from PIL import Image

from kerasface.data import write_class_folder
from kerasface.training import train
from tests.training.small_runs import IMAGES, PEOPLE, SIZE, recipe_of, silent


@pytest.fixture(scope="module")
def faces(tmp_path_factory):
    """Twenty people, each a coarse pattern of their own, nine 32×32 images of each, under noise and changing light."""
    rng = np.random.default_rng(2)
    labels = np.repeat(np.arange(PEOPLE), IMAGES)
    patterns = rng.integers(60, 196, (PEOPLE, 4, 4, 3)).repeat(8, axis=1).repeat(8, axis=2)
    images = (
        patterns[labels] + rng.normal(0, 25, (len(labels), SIZE, SIZE, 3)) + rng.normal(0, 10, (len(labels), 1, 1, 1))
    )
    root = tmp_path_factory.mktemp("faces")
    write_class_folder(np.clip(images, 0, 255).astype(np.uint8), labels, root)
    return root


@pytest.fixture(scope="module")
def run(faces, tmp_path_factory):
    """One uninterrupted run: its folder and its result."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    before = signal.getsignal(signal.SIGINT)
    result = train(recipe_of(), faces, out, console=silent())
    assert signal.getsignal(signal.SIGINT) is before
    return out, result


@pytest.fixture(scope="module")
def lfw(tmp_path_factory):
    """LFW's layout: two folds of two genuine and two impostor pairs, of eight people who are patterns."""
    root, rng = tmp_path_factory.mktemp("lfw"), np.random.default_rng(5)
    for person in range(8):
        pattern = rng.integers(40, 216, (4, 4, 3)).repeat(8, axis=0).repeat(8, axis=1)
        for index in (1, 2):
            image = np.clip(pattern + rng.normal(0, 25, (SIZE, SIZE, 3)), 0, 255).astype(np.uint8)
            path = root / "aligned_112" / f"P{person}" / f"P{person}_{index:04d}.jpg"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(image).save(path, quality=95)
    lines = ["2\t2"]
    for fold in (0, 4):
        lines += [f"P{fold + i}\t1\t2" for i in range(2)]
        lines += [f"P{fold + i}\t1\tP{fold + i + 2}\t2" for i in range(2)]
    (root / "pairs.txt").write_text("\n".join(lines) + "\n")
    return root
