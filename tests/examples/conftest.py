import runpy
import sys
from pathlib import Path

import pytest

from kerasface import data

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="module")
def patch():
    with pytest.MonkeyPatch.context() as patch:
        yield patch


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Where the examples of a module write, so that one finds what another wrote."""
    return tmp_path_factory.mktemp("examples")


@pytest.fixture(scope="module")
def run(folder, patch):
    """Runs an example by its number as a reader would, in the module's folder; returns what it printed."""
    import contextlib
    import io

    patch.chdir(folder)

    def run(number, *arguments):
        (script,) = EXAMPLES.glob(f"{number}_*.py")
        patch.setattr(sys, "argv", [script.name, *map(str, arguments)])
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            runpy.run_path(str(script), run_name="__main__")
        return printed.getvalue()

    return run


@pytest.fixture(scope="module")
def few_people(patch):
    """Caps the people that are rendered, where a test is about the way and not the figures."""
    render = data.render_identities

    def capped(most):
        def fewer(people, images, *, seed):
            return render(min(people, most), images, seed=seed)

        patch.setattr(data, "render_identities", fewer)

    return capped


def small_backbone():
    """What stands in for a real network where a test is about the script."""
    import keras

    inputs = keras.Input((112, 112, 3))
    x = keras.layers.Conv2D(8, 3, strides=4)(keras.layers.AveragePooling2D(2)(inputs))
    x = keras.layers.Dense(32, use_bias=False)(keras.layers.Flatten()(keras.layers.ReLU()(x)))
    return keras.Model(inputs, x, name="small")
