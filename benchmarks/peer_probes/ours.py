"""kerasface from its wheel, without TensorFlow: python ours.py MODEL.tflite."""

import sys

from probe import run

from kerasface.edge import Embedder, FacePipeline, load_image


def load():
    return FacePipeline(Embedder.load(sys.argv[1]))


def embed(pipeline, path):
    photo = load_image(path)
    faces = pipeline.embed(photo, pipeline.detector.detect(photo))
    return faces[0].embedding if faces else None  # the largest, as the others take it


run(load, embed)
