"""The scripts of docs/ and zoo/ as modules, for the tests of what they write."""

import importlib.util
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


def load_script(path):
    """Loads a script by its path below the repository's root."""
    path = ROOT / path
    if str(path.parent) not in sys.path:
        sys.path.append(str(path.parent))  # as `python docs/script.py` does, for the modules that scripts share
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module
