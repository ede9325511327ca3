"""MediaPipe Tasks' ImageEmbedder opens our files as they are."""

import json
import subprocess
import sys

import matplotlib
import numpy as np
import pytest
from PIL import Image

from tests.export.samples import SIZE

# A process of its own with a time limit: several MediaPipe tasks in one have been seen to hang.
EMBED = """
import json, sys
import mediapipe as mp
import numpy as np
from mediapipe.tasks.python import BaseOptions, vision
options = vision.ImageEmbedderOptions(base_options=BaseOptions(model_asset_path=sys.argv[1]))
with vision.ImageEmbedder.create_from_options(options) as embedder:
    rows = []
    for pixels in np.load(sys.argv[2]):
        kind = {3: mp.ImageFormat.SRGB, 4: mp.ImageFormat.SRGBA}[pixels.shape[-1]]
        result = embedder.embed(mp.Image(image_format=kind, data=np.ascontiguousarray(pixels)))
        rows.append([float(value) for value in result.embeddings[0].embedding])
print(json.dumps(rows))
"""


@pytest.fixture(scope="module")
def crops():
    """Three squares of Grace Hopper's portrait (public domain), of the size that the file takes."""
    portrait = Image.open(f"{matplotlib.get_data_path()}/sample_data/grace_hopper.jpg").convert("RGB")
    boxes = [(100, 40, 420, 360), (180, 60, 340, 220), (0, 100, 500, 600)]
    return np.stack([np.asarray(portrait.crop(box).resize((SIZE, SIZE))) for box in boxes])


@pytest.mark.parametrize(("precision", "channels"), [("fp32", 3), ("fp16", 3), ("fp16", 4), ("int8", 3)])
def test_image_embedder_gives_the_files_own_embedding(exported, crops, tmp_path, precision, channels):
    """Phones hand over pixels with alpha (export/android, export/ios)."""
    pytest.importorskip("mediapipe", reason="the extra mediapipe is not installed")
    from kerasface.edge import Embedder

    path, _ = exported["tflite", precision]
    np.save(tmp_path / "crops.npy", np.insert(crops, 3, 255, axis=-1)[..., :channels])
    command = [sys.executable, "-c", EMBED, str(path), str(tmp_path / "crops.npy")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr[-2000:]
    received = np.array(json.loads(done.stdout.splitlines()[-1]))
    np.testing.assert_allclose(received, Embedder.load(path).embed(crops), atol=1e-4)
