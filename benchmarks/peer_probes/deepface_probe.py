"""DeepFace: what of it runs without its downloads, OpenCV's Haar cascade; its embedders' weights come from GitHub."""

from deepface import DeepFace
from probe import run


def load():
    return DeepFace


def embed(deepface, path):
    try:
        return deepface.extract_faces(path, detector_backend="opencv")[0]["face"].ravel()[:1]
    except ValueError:
        return None


run(load, embed)
