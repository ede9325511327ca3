"""A margin head in `model.fit`, twice: as a layer of a functional model, and in a FaceModel.

    python examples/01_margin_head_in_fit.py [FACES]

FACES has a sub-folder of aligned 112×112 photos for each person; without it, synthetic people are rendered. The result,
face.keras, is what the later examples begin with.
"""

import sys

import keras
import numpy as np

from kerasface import FaceModel, backbones, heads
from kerasface.data import open_faces, render_identities
from kerasface.edge import load_image
from kerasface.export import embedder_spec, write_sidecar

if len(sys.argv) > 1:
    faces = open_faces(sys.argv[1])
    crops = [load_image(photo) for photo in faces.photos]
    if any(crop.shape != (112, 112, 3) for crop in crops):
        sys.exit(f"{sys.argv[1]} holds photos that aren't aligned: kerasface align {sys.argv[1]} ALIGNED")
    images, labels = np.stack(crops), faces.labels
else:
    images, labels = render_identities(30, 8, seed=0)
people = int(labels.max()) + 1
backbone = backbones.get("mobilefacenet", width=0.25)

# A head is a layer: embeddings and labels in, logits with the margin out. The loss is plain cross-entropy.
face, person = keras.Input((112, 112, 3), name="face"), keras.Input((), dtype="int32", name="person")
embedding = backbone(keras.layers.Rescaling(1 / 127.5, offset=-1.0)(face))
logits = heads.CosFace(people, scale=16.0, margin=0.1)(embedding, person)
functional = keras.Model([face, person], logits)
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
functional.compile(keras.optimizers.Adam(2e-3), cross_entropy)
functional.fit([images, labels], labels, batch_size=32, epochs=1, verbose=2)

# FaceModel does the same with the pixels' preprocessing inside, and `predict` gives embeddings: no head to cut off.
model = FaceModel(backbone, heads.get("arcface", num_classes=people, scale=16.0, margin=0.1))
model.compile(keras.optimizers.Adam(2e-3))
model.fit(images, labels, batch_size=32, epochs=2, verbose=2)
print("embeddings:", model.predict(images[:4], verbose=0).shape)

# A model and its spec belong together: what it was trained on, its input, and later its thresholds.
model.save("face.keras")
write_sidecar("face.keras", embedder_spec(model, name="mobilefacenet.arcface_example"))
print("face.keras")
