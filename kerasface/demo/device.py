"""What the demo runs on the "device": a process of its own in which TensorFlow is never imported.

Called as `python -m kerasface.demo.device MODEL FACES GALLERY`; prints one JSON object.
"""

import json
import sys

import numpy as np

from kerasface.edge import Embedder, Gallery

__all__ = ["serve"]


def serve(model, faces, gallery_path):
    """Enrols people with the exported file, saves and reloads the gallery, and identifies probes.

    Args:
        model: path of the exported embedder.
        faces: path of an .npz with `enroll_images`, `enroll_names` and `probe_images`.
        gallery_path: where to save the gallery.

    Returns:
        dict: "matches" (one a probe: name or None, score, threshold), "tensorflow_imported", "people".
    """
    with np.load(faces, allow_pickle=False) as data:
        embedder = Embedder.load(model)
        gallery = Gallery(embedder.spec)
        enrolled = embedder.embed(data["enroll_images"])
        for name in np.unique(data["enroll_names"]):
            gallery.enroll(str(name), enrolled[data["enroll_names"] == name])
        gallery.save(gallery_path)
        reloaded = Gallery.load(gallery_path, spec=embedder.spec)
        matches = reloaded.identify(embedder.embed(data["probe_images"]))
    return {
        "people": len(reloaded),
        "matches": [json.loads(match.to_json()) for match in matches],
        "tensorflow_imported": "tensorflow" in sys.modules or "keras" in sys.modules,
    }


if __name__ == "__main__":
    print(json.dumps(serve(*sys.argv[1:])))
