"""The one step that pyproject.toml can't say: a built wheel carries the face detector's two models.

The repository holds none. They are taken from the user's cache, or fetched into it from the mediapipe wheel, and are
checked by sha256 either way (kerasface/edge/assets.py). An editable installation finds them in the cache.
"""

import shutil
import sys
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

sys.path.insert(0, str(Path(__file__).parent))
from kerasface.edge import assets


class BuildWithModels(build_py):
    """Copies the models beside the module that looks for them there."""

    def run(self):
        """Runs the step, then adds the models."""
        if self.editable_mode:
            super().run()
            return
        # What an earlier build left there would be installed with it: modules that are no more.
        shutil.rmtree(Path(self.build_lib) / "kerasface", ignore_errors=True)
        super().run()
        if assets.missing():
            assets.fetch()
        folder = Path(self.build_lib) / "kerasface" / "edge" / "models"
        self.mkpath(str(folder))
        for name in assets.ASSETS:
            shutil.copyfile(assets.path(name), folder / assets.path(name).name)


setup(cmdclass={"build_py": BuildWithModels})
