"""What the demo's device process answers: the people enrolled by their own names, everybody else unknown."""

import numpy as np

from kerasface.demo.device import serve
from kerasface.edge import Gallery


def test_each_person_is_named_by_their_own_photos(model_files, block_model, tmp_path, rng):
    # Templates are means of two photos each; NumPy tells whom a probe is nearest to.
    enrolled = rng.integers(0, 256, (6, 112, 112, 3), dtype=np.uint8)
    names = np.array(["Ann", "Bob", "Cid"] * 2)
    probes = np.concatenate([enrolled, rng.integers(0, 256, (4, 112, 112, 3), dtype=np.uint8)])
    np.savez(tmp_path / "faces.npz", enroll_images=enrolled, enroll_names=names, probe_images=probes)
    answer = serve(model_files["tflite"], tmp_path / "faces.npz", tmp_path / "gallery.kfg")

    units = block_model.reference(enrolled)
    means = np.stack([units[names == name].mean(0) for name in ("Ann", "Bob", "Cid")])
    scores = block_model.reference(probes) @ (means / np.linalg.norm(means, axis=1, keepdims=True)).T
    expected = [["Ann", "Bob", "Cid"][row.argmax()] if row.max() >= 0.5 else None for row in scores]
    assert [match["name"] for match in answer["matches"]] == expected
    np.testing.assert_allclose([match["score"] for match in answer["matches"]], scores.max(1), atol=1e-5)
    assert {"Ann", "Bob", "Cid", None} >= set(expected)
    assert len(set(expected)) > 1
    assert Gallery.load(tmp_path / "gallery.kfg").names == ["Ann", "Bob", "Cid"]
