"""Your own margin in fifteen lines, trained beside a known one.

    python examples/10_your_own_head.py [FACES]

FACES has a sub-folder of aligned 112×112 photos for each person; without it, synthetic people are rendered.
"""

import sys

import keras
import numpy as np
from keras import ops

from kerasface import FaceModel, backbones, heads
from kerasface.data import open_faces, render_identities
from kerasface.edge import load_image


@heads.register("square_face")
class SquareFace(heads.MarginHead):
    """A margin that grows with the angle: the target's value is cos θ − m (1 − cos θ)."""

    def __init__(self, num_classes, *, scale=16.0, margin=0.2, **options):
        super().__init__(num_classes, scale=scale, **options)
        self.margin = margin

    def adjust_target(self, cosine, norm):
        return cosine - self.margin * (1.0 - ops.clip(cosine, -1.0, 1.0))

    def get_config(self):
        return {**super().get_config(), "margin": self.margin}


if len(sys.argv) > 1:
    faces = open_faces(sys.argv[1])
    crops = [load_image(photo) for photo in faces.photos]
    if any(crop.shape != (112, 112, 3) for crop in crops):
        sys.exit(f"{sys.argv[1]} holds photos that aren't aligned: kerasface align {sys.argv[1]} ALIGNED")
    images, labels = np.stack(crops), faces.labels
else:
    images, labels = render_identities(16, 8, seed=0)

# Registered, it is found by name: here, in recipes (`head: {name: square_face}`), and when a model is loaded.
for name, arguments in (("normface", {}), ("square_face", {"margin": 0.2})):
    keras.utils.set_random_seed(0)
    backbone = backbones.get("spherefacenet", depth=4, embedding_dim=64, input_shape=(112, 112, 3))
    model = FaceModel(backbone, heads.get(name, num_classes=int(labels.max()) + 1, scale=16.0, **arguments))
    model.compile(keras.optimizers.Adam(1e-3))
    losses = model.fit(images, labels, batch_size=32, epochs=2, verbose=0).history["loss"]
    print(f"{name}: loss {losses[0]:.3f}, then {losses[-1]:.3f}")
