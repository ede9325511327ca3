import numpy as np
import pytest

from kerasface.edge.detection.detector import Face
from kerasface.edge.detection.selection import the_face
from kerasface.errors import KerasfaceError


def face_of(side, left=0):
    return Face(np.array([left, 0, left + side, side], float), 0.9, np.zeros((5, 2)))


def test_one_face_is_the_face():
    only = face_of(50)
    assert the_face([only], "a.jpg") is only


def test_a_clearly_largest_face_is_the_face_in_any_order():
    subject, bystander = face_of(100), face_of(60, left=200)
    assert the_face([subject, bystander], "a.jpg") is subject
    assert the_face([bystander, subject], "a.jpg") is subject


def test_faces_of_similar_size_need_a_decision():
    faces = [face_of(100), face_of(80, left=200), face_of(30, left=400)]
    with pytest.raises(KerasfaceError, match=r"2 faces of similar size in a\.jpg \(100, 80 pixels\).*Use --largest"):
        the_face(faces, "a.jpg")
    assert the_face(faces, "a.jpg", largest=True) is faces[0]


def test_no_face_says_what_was_tried_and_what_to_do():
    with pytest.raises(KerasfaceError) as caught:
        the_face([], "beach.jpg", best_score=0.37, min_score=0.5)
    assert str(caught.value) == (
        "no face found in beach.jpg (2 scales, 4 rotations tried; best score 0.37, threshold 0.5). "
        "Use --min-score 0.3, or --no-align if it is an aligned crop."
    )
    with pytest.raises(KerasfaceError, match=r"no face found in beach\.jpg\. Use --no-align"):
        the_face([], "beach.jpg")
    with pytest.raises(KerasfaceError, match=r"a score of 0\.62, but no face at a closer look\)\. Use --no-align"):
        the_face([], "beach.jpg", best_score=0.62, min_score=0.5)
    # A score that no threshold makes a face of is no advice.
    with pytest.raises(KerasfaceError, match=r"best score 0\.04, threshold 0\.5\)\. Use --no-align"):
        the_face([], "beach.jpg", best_score=0.04, min_score=0.5)
