import ast
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import kerasface.edge

EDGE = Path(kerasface.edge.__file__).parent
ROOT = EDGE.parents[1]
OURS = {"kerasface.edge", "kerasface.errors", "kerasface.spec"}


def run(python, code, *arguments, **options):
    done = subprocess.run(
        [python, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False, **options
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_everything_loads_no_heavy_module():
    code = """
import sys, kerasface.edge as edge
assert not {"numpy", "PIL"} & set(sys.modules), "the room itself should cost nothing"
for name in edge.__all__:
    getattr(edge, name)
heavy = {"tensorflow", "keras", "ai_edge_litert", "tflite_runtime", "onnxruntime", "cv2", "sklearn", "matplotlib"}
print(sorted(heavy & set(sys.modules)))
"""
    assert run(sys.executable, code).strip() == "[]"


def test_unknown_names_are_attribute_errors_and_dir_lists_the_public_ones():
    assert dir(kerasface.edge) == sorted(kerasface.edge.__all__)
    with pytest.raises(AttributeError, match="no attribute 'Camera'"):
        _ = kerasface.edge.Camera


@pytest.mark.parametrize("path", sorted(EDGE.rglob("*.py")), ids=lambda path: str(path.relative_to(EDGE)))
def test_the_room_imports_only_what_a_device_has(path):
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            modules = [node.module]
        for module in modules:
            top = module.split(".")[0]
            allowed = top in sys.stdlib_module_names or top in {"numpy", "PIL"}
            assert allowed or ".".join(module.split(".")[:2]) in OURS, f"{path.name} imports {module}"


@pytest.mark.slow
def test_a_fresh_environment_without_tensorflow_embeds_and_identifies(tmp_path, model_files, block_model, rng):
    """Installs the checkout with its base dependencies alone, as a device does, and runs an exported file there."""
    source = tmp_path / "source"
    source.mkdir()
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "kerasface", source / "kerasface", ignore=shutil.ignore_patterns("__pycache__"))
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "device"], check=True)
    python = tmp_path / "device" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    subprocess.run([python, "-m", "pip", "install", "--quiet", source], check=True)
    images = rng.integers(0, 256, (3, 112, 112, 3), dtype=np.uint8)
    np.save(tmp_path / "images.npy", images)
    code = """
import importlib.util, sys
import numpy as np
for module in ("tensorflow", "keras", "cv2", "sklearn", "onnxruntime"):
    assert importlib.util.find_spec(module) is None, module
from kerasface.edge import Embedder, Gallery
embedder = Embedder.load(sys.argv[1])
embeddings = embedder.embed(np.load("images.npy"))
gallery = Gallery(embedder.spec)
gallery.enroll("first", embeddings[0])
gallery.save("people.gallery")
match = Gallery.load("people.gallery", embedder.spec).identify(embeddings[0])
assert match.name == "first", match
np.save("embeddings.npy", embeddings)
"""
    run(python, code, model_files["tflite"], cwd=tmp_path)
    np.testing.assert_allclose(np.load(tmp_path / "embeddings.npy"), block_model.reference(images), atol=2e-6)
