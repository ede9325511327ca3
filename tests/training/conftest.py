import signal

import pytest

from kerasface.training import train
from tests.pattern_faces import faces, lfw  # noqa: F401 (fixtures)
from tests.training.small_runs import recipe_of, silent


@pytest.fixture(scope="module")
def run(faces, tmp_path_factory):  # noqa: F811
    """One uninterrupted run: its folder and its result."""
    out = tmp_path_factory.mktemp("runs") / "whole"
    before = signal.getsignal(signal.SIGINT)
    result = train(recipe_of(), faces, out, console=silent())
    assert signal.getsignal(signal.SIGINT) is before
    return out, result
