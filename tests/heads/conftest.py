import json
import os
from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def vectors():
    """Reference logits, losses and gradients, float64 from the angles (shared/vectors/heads.json)."""
    shared = Path(__file__).resolve().parents[3] / "shared"
    data = os.environ.get("KERASFACE_DATA")
    path = (Path(data).parent if data else shared) / "vectors" / "heads.json"
    if not path.is_file():
        pytest.skip(f"needs the reference vectors: no file {path}")
    return json.loads(path.read_text())
