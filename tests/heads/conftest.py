import json
import os
from pathlib import Path

import keras
import pytest


@pytest.fixture
def float64(monkeypatch):
    """Lets float64 stay what it is: JAX halves it, and so does Keras' promotion table on all backends but TensorFlow's.

    Finite differences and edges can't be checked in float32; nobody trains in float64, so there is no public switch.
    """
    monkeypatch.setitem(keras.src.backend.common.dtypes.BIT64_TO_BIT32_DTYPE, "float64", "float64")
    if keras.backend.backend() != "jax":
        yield
        return
    import jax

    with jax.enable_x64(True):
        yield


@pytest.fixture(scope="session")
def vectors():
    """Reference logits, losses and gradients, float64 from the angles (shared/vectors/heads.json)."""
    shared = Path(__file__).resolve().parents[3] / "shared"
    data = os.environ.get("KERASFACE_DATA")
    path = (Path(data).parent if data else shared) / "vectors" / "heads.json"
    if not path.is_file():
        pytest.skip(f"needs the reference vectors: no file {path}")
    return json.loads(path.read_text())
