"""Do two photos show one person? On NumPy, Pillow and LiteRT alone: `pip install .` is enough.

    python examples/06_verify_without_tensorflow.py [MODEL.tflite [FIRST SECOND]]

Without arguments it takes face.tflite of example 05 and rendered crops; demo/embedder.tflite, which `make demo` leaves,
knows rendered people better, though it too misses some at its threshold. For photos no training is needed:
`kerasface zoo get mobilefacenet.sface_photos_full --out face.tflite`; and the face detector's two models, once:
`kerasface assets get`. `kerasface verify` is the same as one command.
"""

import sys

from kerasface.data import render_identities
from kerasface.edge import Embedder, FacePipeline, decision_threshold, load_image

if len(sys.argv) == 3:
    sys.exit(__doc__)
embedder = Embedder.load(sys.argv[1] if len(sys.argv) > 1 else "face.tflite")
threshold = decision_threshold(embedder.spec)  # the file's own, calibrated when it was exported

if len(sys.argv) > 3:
    pipeline = FacePipeline(embedder)  # finds, aligns and embeds
    first, second = (pipeline.face(load_image(photo), photo).embedding for photo in sys.argv[2:4])
    comparisons = {"the two photos": first @ second}
else:
    crops, _ = render_identities(2, 2, seed=2)  # aligned already: two people with two crops each
    embeddings = embedder.embed(crops)
    comparisons = {
        "two crops of one person": embeddings[0] @ embeddings[1],
        "two people": embeddings[0] @ embeddings[2],
    }

for what, cosine in comparisons.items():
    verdict = "same person" if cosine >= threshold else "different people"
    print(f"{what}: cosine {cosine:.4f}, {verdict} (threshold {threshold:.4f})")
print("TensorFlow imported:", "tensorflow" in sys.modules)
