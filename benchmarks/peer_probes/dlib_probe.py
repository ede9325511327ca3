"""dlib's detector, five points and ResNet with face_recognition_models' weights, as face_recognition calls them."""

import dlib
import face_recognition_models as models
import numpy as np
from PIL import Image
from probe import run


def load():
    return (
        dlib.get_frontal_face_detector(),
        dlib.shape_predictor(models.pose_predictor_five_point_model_location()),
        dlib.face_recognition_model_v1(models.face_recognition_model_location()),
    )


def embed(recognizer, path):
    detector, predictor, network = recognizer
    image = np.asarray(Image.open(path).convert("RGB"))
    # face_recognition looks at the photo enlarged twice, its own default of one upsampling.
    faces = detector(image, 1)
    if not faces:
        return None
    largest = max(faces, key=lambda box: box.area())
    return np.array(network.compute_face_descriptor(image, predictor(image, largest)))


run(load, embed)
