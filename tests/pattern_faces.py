"""Sets of small faces that are patterns; nothing here waits for TensorFlow."""

import numpy as np
import pytest

from kerasface.data import write_class_folder
from tests.lfw_files import write_lfw

PEOPLE, IMAGES, SIZE = 20, 9, 32


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
def lfw(tmp_path_factory):
    """LFW's layout, of eight people who are patterns."""
    root, rng, images = tmp_path_factory.mktemp("lfw"), np.random.default_rng(5), []
    for _ in range(8):
        pattern = rng.integers(40, 216, (4, 4, 3)).repeat(8, axis=0).repeat(8, axis=1)
        images += [np.clip(pattern + rng.normal(0, 25, (SIZE, SIZE, 3)), 0, 255).astype(np.uint8) for _ in range(2)]
    write_lfw(root, images)
    return root
