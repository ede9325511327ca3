import hashlib
import subprocess
import sys
from dataclasses import fields, is_dataclass, replace

import numpy as np
import pytest

from kerasface.data.synthetic import (
    Capture,
    Expression,
    Identity,
    Light,
    landmarks,
    render_face,
    render_identities,
    render_identity,
)
from kerasface.data.synthetic.identity import Marks
from kerasface.demo.baseline import pixel_baselines

ARCFACE = np.array([(38.3, 51.7), (73.5, 51.5), (56.0, 71.7), (41.5, 92.4), (70.7, 92.2)])


def person(seed=0, **parts):
    return replace(Identity.draw(np.random.default_rng(seed)), **parts)


def someone_plain(seed=0):
    """A person who is her own mirror image: no hair, whose strands are random, and no marks."""
    one = person(seed)
    return replace(one, marks=Marks(), hair=replace(one.hair, bald=True))


def difference(first, second):
    return np.abs(first.astype(float) - second.astype(float)).mean()


def digest(images):
    return hashlib.sha256(images.tobytes()).hexdigest()


def test_shapes_types_and_label_layout():
    images, labels = render_identities(3, 4, seed=1, size=48)
    assert images.shape == (12, 48, 48, 3)
    assert images.dtype == np.uint8
    assert labels.dtype == np.int32
    assert labels.tolist() == [0] * 4 + [1] * 4 + [2] * 4


def test_same_seed_gives_the_same_bytes_in_another_process_and_on_every_platform():
    program = (
        "import hashlib; from kerasface.data.synthetic import render_identities as r;"
        "print(hashlib.sha256(r(6, 2, seed=3)[0].tobytes()).hexdigest())"
    )
    elsewhere = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    here = digest(render_identities(6, 2, seed=3)[0])
    assert elsewhere.stdout.strip() == here
    # Recorded on x86-64 with AVX-512. A change to the renderer changes it, and with it every figure of the demo.
    assert here == "11b6d94e058418416aacd3527d13fe776a0c1baa70ed9cdf732191d1022427eb"


def test_another_seed_gives_other_people():
    first, second = (render_identities(1, 1, seed=seed, size=48)[0] for seed in (0, 1))
    assert difference(first, second) > 10


def test_a_larger_set_begins_with_the_smaller_one():
    few = render_identities(2, 2, seed=9, size=32)[0].reshape(2, 2, 32, 32, 3)
    many = render_identities(4, 5, seed=9, size=32)[0].reshape(4, 5, 32, 32, 3)
    np.testing.assert_array_equal(many[:2, :2], few)
    np.testing.assert_array_equal(render_identity(3, 5, seed=9, size=32), many[3])


def test_no_two_pictures_are_the_same():
    images, _ = render_identities(5, 5, seed=2, size=32)
    assert len({digest(image) for image in images}) == 25


def test_frontal_landmarks_lie_at_the_arcface_template():
    errors = np.array([np.linalg.norm(landmarks(person(k), Capture()) - ARCFACE, axis=1) for k in range(100)])
    assert errors.mean(axis=0).max() < 3.0
    assert errors.max() < 7.0
    # Nothing is left for a second alignment by the same points to turn, scale or shift.
    for k in range(5):
        source = landmarks(person(k), Capture()) @ [1, 1j]
        target = ARCFACE @ [1, 1j]
        fit, *_ = np.linalg.lstsq(np.stack([source, np.ones(5)], axis=1), target, rcond=None)
        assert abs(fit[0] - 1) < 2e-3
        assert abs(fit[0] * (56 + 72j) + fit[1] - (56 + 72j)) < 0.1


def test_landmarks_of_drawn_captures_stay_near_the_template():
    errors = []
    for k in range(200):
        one = person(k)
        errors.append(landmarks(one, Capture.draw(np.random.default_rng(k), one)) - ARCFACE)
    distance = np.linalg.norm(errors, axis=2)
    assert distance.mean() < 6.0
    assert distance.max() < 18.0


def test_landmarks_scale_with_the_size():
    one = person(4)
    small, large = (landmarks(one, Capture(yaw=0.3), size) for size in (112, 224))
    # Pixel centers lie at whole numbers: the crop's edge is at -0.5 in both.
    np.testing.assert_allclose(large + 0.5, 2 * (small + 0.5))


@pytest.mark.parametrize("yaw", [-0.4, 0.0, 0.4])
@pytest.mark.parametrize("pitch", [-0.2, 0.2])
def test_the_picture_has_its_pupils_and_its_mouth_where_the_landmarks_say(yaw, pitch):
    for k in range(6):
        one = someone_plain(k)
        one = replace(
            one, skin=replace(one.skin, color=(0.9, 0.75, 0.65)), eyes=replace(one.eyes, upper=4.5, lower=3.0, tilt=0.0)
        )
        capture = Capture(yaw=yaw, pitch=pitch, light=Light(azimuth=0.0, key=0.4, ambient=0.6))
        image = render_face(one, capture, 224).astype(float).sum(axis=2)
        points = landmarks(one, capture, 224)
        rows, columns = np.mgrid[:224, :224]
        for x, y in points[:2]:
            near = (columns - x) ** 2 + (rows - y) ** 2 < 10**2
            weight = np.where(near, np.maximum(180 - image, 0), 0)
            assert weight.sum() > 0
            # The pupil's center lies up to 1.1 units (2.2 pixels) above the corner line.
            assert abs((weight * columns).sum() / weight.sum() - x) < 2.5
            assert abs((weight * rows).sum() / weight.sum() - y) < 4.0
        # Between the corners the lips' line is darker than the skin over them.
        x, y = points[3:].mean(axis=0).round().astype(int)
        assert image[y - 8 : y + 12, x].min() < 0.75 * np.median(image[y - 28 : y - 12, x])


def test_a_turned_head_moves_features_by_their_depth():
    one = someone_plain(1)
    offsets = []
    for yaw in (-0.5, 0.0, 0.5):
        left_eye, right_eye, nose, left_mouth, right_mouth = landmarks(one, Capture(yaw=yaw))
        # In units of the eyes' distance, so that alignment drops out.
        eyes, mouth = (left_eye + right_eye) / 2, (left_mouth + right_mouth) / 2
        offsets.append((nose - (eyes + mouth) / 2)[0] / np.linalg.norm(mouth - eyes))
    assert offsets[0] < -0.1 < abs(offsets[1]) + 0.09 < 0.1 < offsets[2]
    # Foreshortening: the eyes come nearer to each other, measured by the height of the face.
    ratios = []
    for yaw in (0.0, 0.6):
        points = landmarks(one, Capture(yaw=yaw))
        height = np.linalg.norm((points[3] + points[4]) / 2 - (points[0] + points[1]) / 2)
        ratios.append(np.linalg.norm(points[1] - points[0]) / height)
    assert ratios[1] < 0.9 * ratios[0]


@pytest.mark.parametrize("yaw", [-0.5, 0.5])
def test_the_tip_of_the_nose_stands_out(yaw):
    bare = someone_plain(1)
    bare = replace(bare, nose=replace(bare.nose, height=9.0))
    spotted = replace(bare, marks=Marks(moles=((0.0, bare.nose.length, 1.5),)))
    changed = [render_face(one, Capture(yaw=yaw), 224).astype(float) for one in (bare, spotted)]
    changed = np.abs(changed[0] - changed[1]).sum(axis=2)
    x, y = ((changed * at).sum() / changed.sum() for at in (np.arange(224), np.arange(224)[:, None]))
    # On a flat nose it would lie 9 sin(0.5) units, about 9 pixels, away.
    np.testing.assert_allclose((x, y), landmarks(bare, Capture(yaw=yaw), 224)[2], atol=2.0)


def test_drawn_captures_vary_in_everything_that_makes_recognition_hard():
    wearer, other = person(0, glasses=0.6), person(0, glasses=0.06)
    drawn = [Capture.draw(np.random.default_rng(k), wearer) for k in range(400)]
    spread = {
        "yaw": np.std([c.yaw for c in drawn]),
        "pitch": np.std([c.pitch for c in drawn]),
        "azimuth": np.std([c.light.azimuth for c in drawn]),
        "smile": np.std([c.expression.smile for c in drawn]),
        "shift": np.std([c.shift for c in drawn]),
    }
    least = {"yaw": 0.25, "pitch": 0.12, "azimuth": 0.7, "smile": 0.35, "shift": 1.5}
    assert all(spread[name] > least[name] for name in least), spread
    assert max(abs(c.yaw) for c in drawn) < 0.8
    contrast = [c.light.key / c.light.ambient for c in drawn]
    assert min(contrast) < 2.5
    assert max(contrast) > 8
    glasses = [np.mean([c.glasses is not None for c in drawn])]
    glasses.append(np.mean([Capture.draw(np.random.default_rng(k), other).glasses is not None for k in range(400)]))
    assert glasses == pytest.approx([0.6, 0.06], abs=0.08)
    assert 0.01 < np.mean([c.hat is not None for c in drawn]) < 0.12


def test_mirrored_pose_and_light_give_the_mirrored_face():
    for k in range(4):
        one = someone_plain(k)
        light = {"elevation": 0.4, "key": 0.8, "ambient": 0.2}
        right = render_face(one, Capture(yaw=0.35, pitch=0.1, light=Light(azimuth=0.8, **light)))
        left = render_face(one, Capture(yaw=-0.35, pitch=0.1, light=Light(azimuth=-0.8, **light)))
        # The template's own middle is x = 55.96 and not 55.5, the crop's: compare at the nearest pixel.
        inside = (slice(40, 100), slice(36, 77))
        mirrored = left[:, ::-1]
        mirrored = np.roll(mirrored, 1, axis=1)
        assert difference(right[inside], mirrored[inside]) < 4
        assert difference(right[inside], left[inside]) > 15


def test_light_comes_from_where_it_is_said_to():
    one = someone_plain(2)
    halves = (slice(70, 90), slice(22, 38)), (slice(70, 90), slice(74, 90))
    for sign in (-1, 1):
        image = render_face(one, Capture(light=Light(azimuth=1.1 * sign, ambient=0.1)))
        left, right = (image[half].mean() for half in halves)
        assert sign * (right - left) > 30
    unlit, lit = (render_face(one, Capture(light=Light(azimuth=1.3, key=key))).astype(int) for key in (0.0, 0.9))
    # Light only adds, also where it does not reach.
    assert (lit >= unlit - 1).all()
    warm, cold = (render_face(one, Capture(light=Light(warmth=w))).mean(axis=(0, 1)) for w in (1, -1))
    assert warm[0] / warm[2] > 1.3 * cold[0] / cold[2]


def test_side_light_changes_pixels_more_than_identity_does():
    light = [Capture(light=Light(azimuth=a, ambient=0.1, key=1.1)) for a in (-1.2, 1.2)]
    people = [someone_plain(k) for k in range(8)]
    people = [replace(one, skin=people[0].skin) for one in people]
    face = (slice(30, 100), slice(28, 84))
    images = [[render_face(one, capture)[face] for capture in light] for one in people]
    by_light = [difference(*both) for both in images]
    by_identity = [difference(images[0][0], other[0]) for other in images[1:]]
    assert np.median(by_light) > 1.3 * np.median(by_identity)


def test_proportions_vary_more_between_identities_than_within():
    shapes = []
    for k in range(40):
        one = person(k)
        drawn = [Capture.draw(np.random.default_rng([k, j]), one) for j in range(8)]
        frontal = [replace(capture, yaw=0.0, pitch=0.0) for capture in drawn]
        points = np.array([landmarks(one, capture) for capture in frontal])
        eyes = np.linalg.norm(points[:, 1] - points[:, 0], axis=1)
        mouth = np.linalg.norm(points[:, 4] - points[:, 3], axis=1)
        middle = (points[:, 0] + points[:, 1]) / 2
        nose = np.linalg.norm(points[:, 2] - middle, axis=1)
        shapes.append(np.stack([mouth / eyes, nose / eyes], axis=1))
    shapes = np.array(shapes)
    between, within = shapes.mean(axis=1).var(axis=0), shapes.var(axis=1).mean(axis=0)
    assert (between > 4 * within).all()


def drawn_parameters():
    for part in fields(Identity):
        kind = getattr(person(), part.name)
        if is_dataclass(kind):
            yield from ((part.name, f.name, f.metadata["range"]) for f in fields(kind) if "range" in f.metadata)


@pytest.mark.parametrize(("part", "name", "ends"), list(drawn_parameters()))
def test_every_parameter_of_an_identity_shows(part, name, ends):
    # Turned a little, smiling, so that ears, folds and depth show.
    capture = Capture(yaw=0.3, expression=Expression(smile=0.6))
    one = person(6)
    one = replace(one, hair=replace(one.hair, bald=False, fringe=False, length=0.2), eyes=replace(one.eyes, iris=3.5))
    low, high = (
        render_face(replace(one, **{part: replace(getattr(one, part), **{name: end})}), capture) for end in ends
    )
    assert np.abs(low.astype(int) - high).max() > 12


@pytest.mark.parametrize(
    "change",
    [
        {"yaw": 0.2},
        {"pitch": 0.2},
        {"roll": 0.1},
        {"shift": (2.0, 0.0)},
        {"shift": (0.0, 2.0)},
        {"zoom": 1.05},
        {"light": Light(elevation=-0.2)},
        {"light": Light(tint=1.0)},
        {"light": Light(key=0.4)},
        {"expression": Expression(smile=0.8)},
        {"expression": Expression(open=0.8)},
        {"expression": Expression(lids=1.0)},
        {"expression": Expression(brows=-0.8)},
        {"expression": Expression(gaze=0.8)},
        {"background": ((0.1, 0.2, 0.3), (0.9, 0.8, 0.7))},
        {"blur": 0.5},
        {"noise": 6.0},
        {"shave": 0.3},
        {"blush": 0.2},
        {"fringe": True},
        {"tied": True},
        {"hat": (0.5, 0.1, 0.1)},
        {"glasses": (0.1, 0.1, 0.1)},
        {"texture": 5},
    ],
    ids=lambda change: "-".join(f"{k}={v}" for k, v in change.items())[:60],
)
def test_every_part_of_a_capture_shows(change):
    one = person(6, marks=Marks(mustache=0.8, goatee=0.8, beard=0.8))
    hair = replace(one.hair, bald=False, fringe=False, length=0.9)
    one = replace(one, hair=hair, skin=replace(one.skin, blush=0.7))
    plain, changed = render_face(one, Capture()), render_face(one, replace(Capture(), **change))
    assert np.abs(plain.astype(int) - changed).max() > 8


def test_clothes_show_below_a_face_turned_up():
    one = person(6, outline=replace(person(6).outline, chin=52.0))
    red, blue = (render_face(one, Capture(shift=(0, -12), clothes=c)) for c in ((0.8, 0.1, 0.1), (0.1, 0.1, 0.8)))
    assert np.abs(red.astype(int) - blue).max() > 60


def test_moles_and_freckles_stay_where_they_are():
    bare = someone_plain(3)
    spotted = replace(bare, marks=Marks(moles=((-20.0, 30.0, 1.6),), freckles=((18.0, 14.0, 1.2),)))
    changed = np.abs(render_face(bare, Capture()).astype(int) - render_face(spotted, Capture())).sum(axis=2) > 20
    rows, columns = np.nonzero(changed)
    points = landmarks(bare, Capture())
    unit = np.linalg.norm(points[1] - points[0]) / (2 * bare.eyes.spacing)
    eyes = points[:2].mean(axis=0)
    for x, y in ((-20.0, 30.0), (18.0, 14.0)):
        distance = np.hypot(columns - eyes[0] - unit * x, rows - eyes[1] - unit * y)
        assert distance.min() < 1.5
    assert changed.sum() < 60


@pytest.mark.parametrize("size", [16, 56, 112, 160])
def test_any_size_shows_the_same_face(size):
    one, capture = person(5), Capture(yaw=0.2)
    large = render_face(one, capture, 4 * size).reshape(size, 4, size, 4, 3).mean(axis=(1, 3))
    assert difference(render_face(one, capture, size), large) < (9 if size < 56 else 6)


def test_noise_has_the_deviation_that_was_asked_for():
    one = someone_plain(0)
    clean, noisy = (render_face(one, Capture(noise=n)).astype(float) for n in (0.0, 5.0))
    middle = (clean > 40) & (clean < 215)
    assert (noisy - clean)[middle].std() == pytest.approx(5.0, rel=0.05)
    assert abs((noisy - clean)[middle].mean()) < 0.3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_identities": 0, "images_per_identity": 1, "seed": 0}, "num_identities=0"),
        ({"num_identities": 1, "images_per_identity": 0, "seed": 0}, "images_per_identity=0"),
        ({"num_identities": 1, "images_per_identity": 1, "seed": -1}, "seed=-1"),
        ({"num_identities": 1, "images_per_identity": 1, "seed": 0, "size": 8}, "size=8"),
    ],
)
def test_wrong_arguments_are_named(arguments, message):
    with pytest.raises(ValueError, match=f"Received: {message}"):
        render_identities(**arguments)


@pytest.mark.parametrize("pose", [{"yaw": 1.2}, {"pitch": -1.2}])
def test_a_head_turned_too_far_is_refused(pose):
    with pytest.raises(ValueError, match=r"yaw and pitch must lie in \[-1, 1\] radians"):
        render_face(person(), Capture(**pose))


def test_wrong_index_is_named():
    with pytest.raises(ValueError, match="Received: index=-1"):
        render_identity(-1, 1, seed=0)


def test_a_linear_classifier_on_pixels_does_not_solve_it():
    images, labels = render_identities(130, 8, seed=21, size=56)
    unseen = labels >= 90
    result = pixel_baselines(images[~unseen], labels[~unseen], images[unseen], labels[unseen])
    assert 0.55 < result.cosine_accuracy < 0.70
    assert result.cosine_accuracy < result.lda_accuracy < 0.82
    assert result.lda_auc > 0.70


def test_the_baseline_solves_pictures_that_differ_by_noise_alone():
    # So a low figure above is the pictures' doing and not the baseline's.
    images = np.stack([render_face(person(k // 4), Capture(noise=8, texture=k), 48) for k in range(120)])
    labels = np.repeat(np.arange(30), 4)
    result = pixel_baselines(images[:80], labels[:80], images[80:], labels[80:])
    assert result.cosine_accuracy > 0.95
    assert result.lda_auc > 0.95


def test_the_baseline_refuses_what_has_no_pairs():
    images = np.zeros((4, 32, 32, 3), np.uint8)
    good, alone = np.array([0, 0, 1, 1]), np.arange(4)
    with pytest.raises(ValueError, match="test_labels must name at least two identities, one of them twice"):
        pixel_baselines(images, good, images, alone)
    with pytest.raises(ValueError, match=r"train_labels must be equally long\. Received: 3 and 4"):
        pixel_baselines(images[:3], good, images, good)
