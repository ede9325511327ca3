import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from kerasface.alignment.pose import FACE_POINTS, pose_of_points
from kerasface.edge.align import TEMPLATES


def turned(yaw, pitch, roll):
    """The model's shadow after turns about its own axes, written out: roll about z, yaw about y, pitch about x."""
    y, p, r = np.radians([yaw, pitch, roll])
    about_x = np.array([[1, 0, 0], [0, np.cos(p), -np.sin(p)], [0, np.sin(p), np.cos(p)]])
    about_y = np.array([[np.cos(y), 0, np.sin(y)], [0, 1, 0], [-np.sin(y), 0, np.cos(y)]])
    about_z = np.array([[np.cos(r), -np.sin(r), 0], [np.sin(r), np.cos(r), 0], [0, 0, 1]])
    return (FACE_POINTS @ (about_z @ about_y @ about_x).T)[:, :2]


@pytest.mark.parametrize("yaw", [-60, -25, 0, 40, 70])
@pytest.mark.parametrize("pitch", [-30, 0, 20])
def test_recovers_the_turn_of_its_own_head(yaw, pitch):
    pose = pose_of_points(turned(yaw, pitch, 0) * 12.5 + (300, 200))
    assert pose.yaw_deg == pytest.approx(yaw, abs=0.01)
    assert pose.pitch_deg == pytest.approx(pitch, abs=0.01)


@pytest.mark.parametrize("roll", [-170, -90, -20, 0, 35, 120])
def test_recovers_a_lean(roll):
    pose = pose_of_points(turned(0, 0, roll))
    assert (pose.yaw_deg, pose.pitch_deg) == pytest.approx((0, 0), abs=0.01)
    assert pose.roll_deg == pytest.approx(roll, abs=0.01)


@given(
    scale=st.floats(0.1, 100),
    x=st.floats(-1e3, 1e3),
    y=st.floats(-1e3, 1e3),
    noise=st.lists(st.floats(-1, 1), min_size=10, max_size=10),
)
def test_neither_size_nor_place_matters_and_a_mirror_turns_yaw(scale, x, y, noise):
    points = np.array(TEMPLATES["arcface_112x112"].points) + np.reshape(noise, (5, 2))
    pose, moved = pose_of_points(points), pose_of_points(points * scale + (x, y))
    mirrored = pose_of_points(points[[1, 0, 2, 4, 3]] * (-1, 1))
    assert (pose.yaw_deg, pose.pitch_deg, pose.roll_deg) == pytest.approx(
        (moved.yaw_deg, moved.pitch_deg, moved.roll_deg), abs=1e-3
    )
    assert (pose.yaw_deg, pose.pitch_deg) == pytest.approx((-mirrored.yaw_deg, mirrored.pitch_deg), abs=1e-3)


def test_signs():
    """A nose to the image's right is a positive yaw; the eyes nearer to the nose than the mouth is, a look upwards."""
    points = np.array(TEMPLATES["arcface_112x112"].points)
    right, up = points.copy(), points.copy()
    right[2, 0] += 6
    up[2, 1] -= 6
    straight = pose_of_points(points)
    assert pose_of_points(right).yaw_deg > straight.yaw_deg + 5
    assert pose_of_points(up).pitch_deg > straight.pitch_deg + 5


def test_the_turn_found_has_the_least_squared_error():
    """Against a search over all turns, for points that are no shadow of the model."""
    from scipy.optimize import minimize

    rng = np.random.default_rng(3)
    for _ in range(5):
        points = turned(*rng.uniform(-30, 30, 3)) + rng.normal(0, 0.4, (5, 2))
        seen = points - points.mean(0)

        def error(angles, seen=seen):
            shadow = turned(*angles) - turned(*angles).mean(0)
            scale = (shadow * seen).sum() / (shadow**2).sum()
            return ((seen - scale * shadow) ** 2).sum()

        best = min((minimize(error, start) for start in rng.uniform(-40, 40, (8, 3))), key=lambda found: found.fun)
        pose = pose_of_points(points)
        assert error((pose.yaw_deg, pose.pitch_deg, pose.roll_deg)) <= best.fun * 1.001 + 1e-9


def test_refuses_what_is_no_face():
    for wrong in (np.zeros((4, 2)), np.full((5, 2), np.nan)):
        with pytest.raises(ValueError, match=r"\(5, 2\) and finite"):
            pose_of_points(wrong)
    with pytest.raises(ValueError, match="coincide"):
        pose_of_points(np.ones((5, 2)))
