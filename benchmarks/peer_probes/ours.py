"""kerasface from its wheel, without TensorFlow: python ours.py MODEL.tflite."""

import sys

import numpy as np
from probe import run

from kerasface.edge import Embedder, FacePipeline, load_image


def load():
    return FacePipeline(Embedder.load(sys.argv[1]))


def embed(pipeline, path):
    faces = pipeline.faces(load_image(path))
    # The largest face, as the others take it.
    largest = max(faces, key=lambda found: np.prod(found.face.box[2:] - found.face.box[:2]), default=None)
    return None if largest is None else largest.embedding


run(load, embed)
