"""What is special about the heads that multiply angles: LSoftmax, SphereFace, SphereFaceR, CombinedMargin."""

import keras
import numpy as np
import pytest
from keras import ops

from kerasface.heads import Annealing, ArcFace, CombinedMargin, CosFace, LSoftmax, SphereFace, SphereFaceR
from kerasface.heads.angles import add_to_angle, angle_of, falling_cos
from kerasface.heads.geometry import psi
from tests.heads import reference
from tests.heads.autodiff import array, losses_and_gradients

THETA = np.union1d(np.linspace(0, np.pi, 20_001), np.arange(13) * np.pi / 12)


def target_values(head):
    """The target's value at each of THETA, without the scale."""
    return array(head.adjust_target(ops.convert_to_tensor(np.cos(THETA)), None))


def built(head, prototypes):
    head.build((None, prototypes.shape[1]))
    head.prototypes.assign(prototypes)
    return head


def test_angles_of_cosines_are_exact_to_the_ends(float64):
    cosine = ops.convert_to_tensor(np.array([1.0, 0.5, 0.0, -0.5, -1.0]))
    np.testing.assert_allclose(array(angle_of(cosine)), np.pi * np.array([0, 1 / 3, 1 / 2, 2 / 3, 1]), rtol=1e-15)
    assert np.isnan(array(angle_of(ops.convert_to_tensor([float("nan")])))).all()


def test_falling_cos_is_cos_up_to_pi_and_falls_beyond(float64):
    angles = np.linspace(0, 3 * np.pi, 30_001)
    values = array(falling_cos(ops.convert_to_tensor(angles)))
    np.testing.assert_allclose(values[:10_001], np.cos(angles[:10_001]), atol=1e-12)
    np.testing.assert_allclose(values[::10_000], [1, -1, -3, -5], atol=1e-12)
    assert (np.diff(values) <= 1e-12).all()


def test_add_to_angle_takes_a_margin_for_each_face(float64):
    theta, margins = np.array([0.3, 1.2, 2.9, 2.9]), np.array([0.1, 0.5, 0.2, 0.6])
    values = array(add_to_angle(ops.convert_to_tensor(np.cos(theta)), ops.convert_to_tensor(margins)))
    np.testing.assert_allclose(values, reference.arcface_target(theta, margins), rtol=1e-12)


@pytest.mark.parametrize("m", [1, 2, 3, 4])
def test_sphereface_of_an_integer_margin_is_psi_by_signs(m, float64):
    by_signs = array(psi(ops.convert_to_tensor(np.cos(THETA)), m))
    np.testing.assert_allclose(target_values(SphereFace(2, margin=m, dtype="float64")), by_signs, atol=1e-9)


@pytest.mark.parametrize(
    "head",
    [
        lambda **o: SphereFace(2, margin=1.35, **o),
        lambda **o: SphereFace(2, margin=2.5, **o),
        lambda **o: SphereFaceR(2, **o),
        lambda **o: CombinedMargin(2, **o),
        lambda **o: CombinedMargin(2, m1=0.9, m2=0.4, m3=0.15, **o),
    ],
    ids=["sphereface_1.35", "sphereface_2.5", "sphereface_r", "combined_1", "combined_2"],
)
def test_target_falls_with_the_angle(head, float64):
    assert (np.diff(target_values(head(dtype="float64"))) <= 1e-12).all()


def test_combined_margin_holds_arcface_and_cosface(float64):
    arcface = target_values(ArcFace(2, margin=0.5, dtype="float64"))
    combined = target_values(CombinedMargin(2, m1=1.0, m2=0.5, m3=0.0, dtype="float64"))
    before = np.pi - 0.5 > THETA
    np.testing.assert_allclose(combined[before], arcface[before], atol=1e-12)
    assert not np.allclose(combined[~before], arcface[~before], atol=1e-3)
    cosface = target_values(CosFace(2, margin=0.35, dtype="float64"))
    combined = target_values(CombinedMargin(2, m1=1.0, m2=0.0, m3=0.35, dtype="float64"))
    np.testing.assert_allclose(combined, cosface, atol=1e-9)


def test_sphereface_r_weighs_its_loss_by_the_authors_weight_over_the_scale(rng):
    x, prototypes, labels = rng.normal(size=(6, 8)), rng.normal(size=(4, 8)), rng.integers(0, 4, 6)
    formula = {"kind": "sphereface_r", "scale": 60, "m": 1.4, "version": 2}
    expected = reference.cross_entropy(reference.logits(x=x, prototypes=prototypes, labels=labels, **formula), labels)
    for options, factor in (({}, 50 / 60), ({"loss_weight": 30.0}, 0.5)):
        head = built(SphereFaceR(4, scale=60.0, margin=1.4, version=2, **options), prototypes)
        losses = array(head.loss(x.astype(np.float32), labels))
        np.testing.assert_allclose(losses, factor * expected, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("version", [1, 2])
def test_sphereface_r_by_default_has_the_slope_of_plain_cosines(version, rng, float64):
    # d loss / d x = scale · Σ_j (p_j − [j = y]) d cos θ_j / d x, with p of the logits that do have the margin.
    x, prototypes, labels = rng.normal(size=(5, 6)), rng.normal(size=(4, 6)), rng.integers(0, 4, 5)
    head = built(SphereFaceR(4, version=version, loss_weight=30.0, dtype="float64"), prototypes)
    values = reference.logits("sphereface_r", x, prototypes, labels, scale=30, m=1.5, version=version)
    p = np.exp(values - values.max(axis=1, keepdims=True))
    weights = p / p.sum(axis=1, keepdims=True) - np.eye(4)[labels]
    along = 30 * weights @ reference.unit(prototypes)
    unit = reference.unit(x)
    across = along - unit * (along * unit).sum(axis=1, keepdims=True)
    expected = across / np.linalg.norm(x, axis=1, keepdims=True)
    np.testing.assert_allclose(losses_and_gradients(head, x, labels)[1], expected, rtol=1e-6, atol=1e-9)


def test_l_softmax_lets_a_longer_prototype_win_and_a_softmax_does_not(rng):
    x, prototypes = rng.normal(size=(5, 6)).astype(np.float32), rng.normal(size=(3, 6))
    head = built(LSoftmax(3, margin=2), prototypes)
    labels = np.array([0, 1, 2, 1, 0])
    once = array(head(x, labels))
    head.prototypes.assign(prototypes * np.array([[1.0], [5.0], [1.0]]))
    np.testing.assert_allclose(array(head(x, labels)), once * [1, 5, 1], rtol=1e-5, atol=1e-5)


def test_l_softmax_anneals_like_a_softmax(rng):
    x, prototypes, labels = rng.normal(size=(6, 8)), rng.normal(size=(4, 8)), rng.integers(0, 4, 6)
    head = built(LSoftmax(4, annealing=Annealing(base=3.0, minimum=3.0)), prototypes)
    cosine = reference.cosines(x, prototypes)[np.arange(6), labels]
    target = (3 * cosine + reference.psi_from_angle(np.arccos(cosine), 4)) / 4
    length = np.linalg.norm(x, axis=1) * np.linalg.norm(prototypes, axis=1)[labels]
    expected = reference.with_target(x @ prototypes.T, labels, length * target)
    np.testing.assert_allclose(array(head(x.astype(np.float32), labels)), expected, rtol=1e-4, atol=1e-4)


def test_l_softmax_goes_on_annealing_after_its_weights_are_restored(tmp_path, rng):
    def model():
        head = LSoftmax(3, annealing=Annealing())
        inputs = keras.Input((4,)), keras.Input((), dtype="int32")
        return head, keras.Model(inputs, head(*inputs))

    x, labels = rng.normal(size=(2, 4)).astype(np.float32), np.array([0, 1])
    head, trained = model()
    for _ in range(3):
        head.loss(x, labels, training=True)
    trained.save_weights(tmp_path / "three.weights.h5")
    twin, restored = model()
    restored.load_weights(tmp_path / "three.weights.h5")
    twin.loss(x, labels, training=True)
    assert int(array(twin.iteration)) == 4
    assert float(array(twin.annealing_lambda)) == pytest.approx(Annealing()(4))


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda: LSoftmax(5, margin=5), "margin must be 1, 2, 3 or 4"),
        (lambda: LSoftmax(5, scale=30.0), "LSoftmax has no scale"),
        (lambda: SphereFace(5, margin=0.9), r"margin must lie in \[1.0"),
        (lambda: SphereFaceR(5, margin=0.9), r"margin must lie in \[1.0"),
        (lambda: SphereFaceR(5, version=3), "version must be 1 or 2. Received: version=3"),
        (lambda: SphereFaceR(5, loss_weight=-1.0), "loss_weight"),
        (lambda: CombinedMargin(5, m1=0.0), "m1"),
        (lambda: CombinedMargin(5, m2=2.0), "m2"),
        (lambda: CombinedMargin(5, m3=1.0), "m3"),
    ],
)
def test_bad_arguments_are_errors(build, words):
    with pytest.raises(ValueError, match=words):
        build()


def test_an_annealing_must_be_one():
    with pytest.raises(TypeError, match="annealing must be an Annealing or None"):
        LSoftmax(5, annealing=5.0)
