"""Export to TFLite and ONNX, and see that the files embed as the Keras model does.

    python examples/05_export_and_prove.py [MODEL.keras] [PEOPLE]

PEOPLE has a sub-folder of aligned photos for each person, none of whom training saw: the files' own thresholds are
chosen on them. Without it, synthetic people are rendered. Writes face.tflite and face.onnx, each with a sidecar.
"""

import sys

import numpy as np

from kerasface.data import open_faces, render_identities
from kerasface.edge import Embedder, load_image
from kerasface.evaluation import unit
from kerasface.export import Calibration, export, load_trained

model, spec = load_trained(sys.argv[1] if len(sys.argv) > 1 else "face.keras")
if len(sys.argv) > 2:
    people = open_faces(sys.argv[2])
    images, labels = np.stack([load_image(photo) for photo in people.photos]), people.labels
else:
    images, labels = render_identities(20, 6, seed=1)
calibration = Calibration(images, labels, "the people of example 05", fars=(1e-2,))

for path, to in (("face.tflite", "tflite"), ("face.onnx", "onnx")):
    # Proven inside, on generated images: nothing is written that misses its precision's bound.
    report = export(model, path, to=to, spec=spec, calibration=calibration)
    parity = report.parity
    threshold = report.thresholds[-1]
    print(f"{path}: {report.precision}, {report.bytes / 1e6:.2f} MB")
    print(f"  cosine {threshold.cosine:.4f} for FAR {threshold.far:g}, on {threshold.calibrated_on}")
    print(f"  on {report.images_from}: largest difference {parity.max_abs:.1e}, least cosine {parity.min_cosine:.6f}")

    # And once more by hand, on faces, in the runtime that a device has: RGB in, unit-length embeddings out.
    ours, theirs = Embedder.load(path).embed(images), unit(model.predict_on_batch(images))
    print(f"  on {len(images)} faces: least cosine {np.sum(ours * theirs, axis=1).min():.6f}")
