import numpy as np
import pytest

from kerasface.data import write_class_folder

HEIGHT, WIDTH = 16, 12


@pytest.fixture(scope="session")
def faces_root(tmp_path_factory):
    """Four people with 2, 3, 4 and 5 images of 16×12; the red channel of every image is its own number."""
    root = tmp_path_factory.mktemp("faces")
    labels = np.repeat([0, 1, 2, 3], [2, 3, 4, 5])
    images = np.random.default_rng(1).integers(0, 256, (len(labels), HEIGHT, WIDTH, 3), dtype=np.uint8)
    images[..., 0] = 10 * np.arange(len(labels))[:, None, None]
    write_class_folder(images, labels, root)
    return root
