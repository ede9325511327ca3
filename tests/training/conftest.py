import signal

import pytest

from kerasface.backbones._registry import backbones
from kerasface.training import train
from tests.pattern_faces import faces, lfw  # noqa: F401 (fixtures)
from tests.training import small_networks
from tests.training.small_runs import SMALL, recipe_of, silent


@pytest.fixture
def small_normalised(monkeypatch):
    """The section of a recipe that names `SmallNormalised`, known for one test."""
    monkeypatch.setattr(backbones, "_classes", dict(backbones._classes))
    small_networks.register()
    return {"name": small_networks.NAME, **SMALL}


@pytest.fixture(scope="module")
def run(faces, tmp_path_factory):  # noqa: F811
    """One uninterrupted run: its folder and its result."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    before = signal.getsignal(signal.SIGINT)
    result = train(recipe_of(), faces, out, console=silent())
    assert signal.getsignal(signal.SIGINT) is before
    return out, result
