"""The scripts of docs/ and zoo/ as modules, for the tests of what they write."""

import importlib.util
from pathlib import Path

ROOT = Path(__file__).parents[1]


def load_script(path):
    """Loads a script by its path below the repository's root."""
    path = ROOT / path
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
