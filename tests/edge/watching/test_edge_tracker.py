import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasface.edge import FaceTracker


def moved(box, dx, dy=0):
    return [box[0] + dx, box[1] + dy, box[2] + dx, box[3] + dy]


def test_two_faces_that_pass_each_other_keep_their_numbers():
    tracker = FaceTracker()
    for step in range(30):
        # One walks right and one left, in rows half a face apart; they come listed in the order of their places.
        boxes = {"right": moved([0, 0, 100, 100], 12 * step), "left": moved([350, 90, 450, 190], -12 * step)}
        order = sorted(boxes, key=lambda name: boxes[name][0])
        numbers = dict(zip(order, tracker.update([boxes[name] for name in order]), strict=True))
        if step == 0:
            first = numbers
        assert numbers == first


def test_a_face_that_is_missed_for_a_while_is_the_same_and_one_that_is_gone_a_new_one():
    tracker = FaceTracker(patience=3)
    box = [0, 0, 100, 100]
    assert tracker.update([box]) == [0]
    for _ in range(3):
        assert tracker.update([]) == []
    assert tracker.update([box]) == [0]
    for _ in range(4):
        tracker.update([])
    assert tracker.update([box]) == [1]
    assert FaceTracker(patience=0).update([box]) == [0]


@given(
    first=st.tuples(*[st.integers(0, 6)] * 2, *[st.integers(1, 6)] * 2),
    second=st.tuples(*[st.integers(0, 6)] * 2, *[st.integers(1, 6)] * 2),
    least=st.sampled_from([0.1, 0.25, 0.3, 0.5, 1.0]),
)
def test_one_face_is_the_same_when_its_boxes_share_enough_pixels(first, second, least):
    """Intersection over union, counted pixel by pixel."""
    masks = []
    for left, top, width, height in (first, second):
        mask = np.zeros((12, 12), bool)
        mask[top : top + height, left : left + width] = True
        masks.append(mask)
    share = (masks[0] & masks[1]).sum() / (masks[0] | masks[1]).sum()
    tracker = FaceTracker(min_overlap=least)
    boxes = [[left, top, left + width, top + height] for left, top, width, height in (first, second)]
    assert tracker.update(boxes[:1]) == [0]
    assert tracker.update(boxes[1:]) == [0 if share >= least else 1]


def test_frames_without_a_face_are_counted_anew_each_time_it_was_seen():
    tracker = FaceTracker(patience=2)
    for _ in range(5):
        assert tracker.update([[0, 0, 100, 100]]) == [0]
        assert tracker.update([]) == tracker.update([]) == []


def test_the_greatest_overlap_is_joined_first_and_each_face_once():
    tracker = FaceTracker()
    assert tracker.update([[0, 0, 100, 100], [40, 0, 140, 100]]) == [0, 1]
    # The first box overlaps both, the second one more; the other box is left with what overlaps it less.
    assert tracker.update([[35, 0, 135, 100], [5, 0, 105, 100]]) == [1, 0]
    assert tracker.update([[20, 0, 120, 100]] * 3)[2] == 2
    assert len(set(tracker.update([[20, 0, 120, 100]] * 4))) == 4


def test_wrong_settings_are_refused():
    for overlap in (0, -1, 1.1):
        with pytest.raises(ValueError, match=f"min_overlap={overlap}"):
            FaceTracker(min_overlap=overlap)
    with pytest.raises(ValueError, match="patience=-1"):
        FaceTracker(patience=-1)
