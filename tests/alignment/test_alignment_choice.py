import numpy as np
import pytest

from kerasface.alignment import choose
from kerasface.edge import Face


def face(left, top, right, bottom):
    return Face(np.array([left, top, right, bottom], float), 0.9, np.zeros((5, 2)))


BYSTANDER, SUBJECT, FAR = face(0, 0, 60, 60), face(80, 70, 120, 110), face(150, 10, 170, 30)


def test_policies():
    faces = [FAR, BYSTANDER, SUBJECT]
    assert choose(faces, "largest", (180, 200, 3)) == [BYSTANDER]
    assert choose(faces, "central", (180, 200, 3)) == [SUBJECT]
    assert choose(faces, "all", (180, 200, 3)) == [BYSTANDER, SUBJECT, FAR]
    assert choose([], "central", (180, 200, 3)) == choose([], "all", (180, 200, 3)) == []
    with pytest.raises(ValueError, match="largest, central, all. Received: policy='first'"):
        choose(faces, "first", (1, 1))


def test_central_is_measured_from_the_middle_of_a_wide_photo():
    assert choose([face(0, 0, 40, 40), face(180, 0, 220, 40)], "central", (40, 400, 3))[0].box[0] == 180
