import os
import random
import sys
from pathlib import Path

import hypothesis
import numpy as np
import pytest

# Imported here and nowhere else: a session fixture that a second file imports is a second one, with its own cache.
from tests.device_files import (  # noqa: F401
    bare_tflite,
    block_model,
    fetched_assets,
    hopper,
    hopper_path,
    model_files,
    spec,
)

# A red test is red again, whichever process and order it runs in; and no test asserts a time, as a deadline would.
hypothesis.settings.register_profile("repeatable", derandomize=True, deadline=None)
hypothesis.settings.load_profile("repeatable")

# It colours what commands print, and breaks their lines elsewhere, though no terminal reads them.
os.environ.pop("FORCE_COLOR", None)


def pytest_runtest_setup():
    """Draws the weights of every test's networks from one seed, before any fixture."""
    random.seed(0)  # of it a Keras that the test itself imports draws its seeds
    if "keras" in sys.modules:
        sys.modules["keras"].utils.set_random_seed(0)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


@pytest.fixture(scope="session")
def shared_data():
    """The folder of real faces (see DATA.md beside it); tests that use it carry the marker `shared_data`."""
    root = Path(os.environ.get("KERASFACE_DATA", Path(__file__).resolve().parents[2] / "shared" / "data"))
    if not root.is_dir():
        pytest.skip(f"needs the real faces: no folder {root}; set KERASFACE_DATA to where they lie")
    return root
