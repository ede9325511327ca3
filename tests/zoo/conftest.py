import numpy as np
import pytest

from kerasface.export import natural_images
from tests.pattern_faces import faces, lfw  # noqa: F401 (fixtures)
from tests.zoo.torch_networks import MBF, IResNet, perturbed

SIZE = 32


@pytest.fixture(scope="session")
def torch_networks():
    """One randomly drawn network of each family, small in picture and embedding, whole in depth."""
    return {"iresnet18": perturbed(IResNet(18)), "mbf": perturbed(MBF(), seed=1)}


@pytest.fixture(scope="session")
def pictures():
    return natural_images(8, height=SIZE, width=SIZE, seed=5)


@pytest.fixture(scope="session")
def many():
    """Many, normalised: batch norms that a few settle have small variances, which make much of every rounding."""
    return (natural_images(256, height=SIZE, width=SIZE, seed=5) - np.float32(127.5)) / 128


@pytest.fixture
def pixels(pictures):
    """The pictures as insightface's networks want them."""
    return (pictures.astype(np.float32) - 127.5) / 127.5


@pytest.fixture
def zoo(tmp_path, monkeypatch):
    """An empty cache, and in it the user's zoo."""
    monkeypatch.setenv("KERASFACE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "zoo"
