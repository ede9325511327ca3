"""Values: every head against the shared vectors and against a float64 recomputation from the angles."""

import keras
import numpy as np
import pytest

from kerasface import heads
from kerasface.heads import (
    AdaCos,
    AdaFace,
    Annealing,
    ArcFace,
    ASoftmax,
    CombinedMargin,
    CosFace,
    CurricularFace,
    ElasticFace,
    LSoftmax,
    MagFace,
    ModifiedSoftmax,
    MVSoftmax,
    NormFace,
    Softmax,
    SphereFace,
    SphereFace2,
    SphereFaceR,
)
from tests.heads import reference
from tests.heads.autodiff import array, losses_and_gradients


def fixed(weight):
    return Annealing(base=weight, minimum=weight)


# name in heads.json: (how to build the head for C classes, the same as arguments of reference.logits)
CASES = {
    "softmax": (Softmax, {"kind": "softmax"}),
    "modified_softmax": (ModifiedSoftmax, {"kind": "modified_softmax"}),
    "normface_s16": (lambda c: NormFace(c, scale=16.0), {"kind": "normface", "scale": 16}),
    "a_softmax_m1": (lambda c: ASoftmax(c, margin=1, annealing=None), {"kind": "a_softmax", "m": 1, "weight": 0}),
    "a_softmax_m2": (lambda c: ASoftmax(c, margin=2, annealing=None), {"kind": "a_softmax", "m": 2, "weight": 0}),
    "a_softmax_m3": (lambda c: ASoftmax(c, margin=3, annealing=None), {"kind": "a_softmax", "m": 3, "weight": 0}),
    "a_softmax_m4": (lambda c: ASoftmax(c, margin=4, annealing=None), {"kind": "a_softmax", "m": 4, "weight": 0}),
    "a_softmax_m4_lambda5": (lambda c: ASoftmax(c, annealing=fixed(5.0)), {"kind": "a_softmax", "m": 4, "weight": 5}),
    "a_softmax_m4_lambda1000": (
        lambda c: ASoftmax(c, annealing=fixed(1000.0)),
        {"kind": "a_softmax", "m": 4, "weight": 1000},
    ),
    "cosface_s64_m0.35": (CosFace, {"kind": "cosface", "scale": 64, "m": 0.35}),
    "arcface_s64_m0.5": (ArcFace, {"kind": "arcface", "scale": 64, "m": 0.5}),
    "arcface_s64_m0.5_easy": (
        lambda c: ArcFace(c, easy_margin=True),
        {"kind": "arcface", "scale": 64, "m": 0.5, "easy": True},
    ),
    "l_softmax_m1": (lambda c: LSoftmax(c, margin=1), {"kind": "l_softmax", "m": 1}),
    "l_softmax_m2": (lambda c: LSoftmax(c, margin=2), {"kind": "l_softmax", "m": 2}),
    "l_softmax_m3": (lambda c: LSoftmax(c, margin=3), {"kind": "l_softmax", "m": 3}),
    "l_softmax_m4": (LSoftmax, {"kind": "l_softmax", "m": 4}),
    "sphereface_s30_m1.35": (
        lambda c: SphereFace(c, margin=1.35),
        {"kind": "sphereface", "scale": 30, "m": 1.35, "slope_at_ends": 1.35},
    ),
    "sphereface_s30_m1.7": (
        lambda c: SphereFace(c, margin=1.7),
        {"kind": "sphereface", "scale": 30, "m": 1.7, "slope_at_ends": 1.7},
    ),
    "sphereface_s30_m2.5": (
        lambda c: SphereFace(c, margin=2.5),
        {"kind": "sphereface", "scale": 30, "m": 2.5, "slope_at_ends": 2.5},
    ),
    # The vectors' losses are the plain cross-entropy: loss_weight / scale = 1.
    "sphereface_r_v1_s30_m1.5": (
        lambda c: SphereFaceR(c, loss_weight=30.0),
        {"kind": "sphereface_r", "scale": 30, "m": 1.5, "version": 1},
    ),
    "sphereface_r_v2_s30_m1.5": (
        lambda c: SphereFaceR(c, version=2, loss_weight=30.0),
        {"kind": "sphereface_r", "scale": 30, "m": 1.5, "version": 2},
    ),
    "sphereface2_lambda0.7_r40_m0.4_t3_b-3": (
        lambda c: SphereFace2(c, loss_weight=1.0),
        {"kind": "sphereface2", "scale": 40, "m": 0.4, "t": 3, "balance": 0.7, "b": -3},
    ),
    "combined_s64_1_0.3_0.2": (
        CombinedMargin,
        {"kind": "combined_margin", "scale": 64, "m": (1, 0.3, 0.2), "slope_at_ends": 0.3},
    ),
    "combined_s64_0.9_0.4_0.15": (
        lambda c: CombinedMargin(c, m1=0.9, m2=0.4, m3=0.15),
        {"kind": "combined_margin", "scale": 64, "m": (0.9, 0.4, 0.15), "slope_at_ends": 0.4},
    ),
    "mv_arc_s64_m0.5_t1.2": (MVSoftmax, {"kind": "mv_softmax", "scale": 64, "m": 0.5, "t": 1.2, "am": False}),
    "mv_am_s64_m0.35_t1.2": (
        lambda c: MVSoftmax(c, margin=0.35, kind="am"),
        {"kind": "mv_softmax", "scale": 64, "m": 0.35, "t": 1.2, "am": True},
    ),
    "curricular_s64_m0.5_t0.3": (CurricularFace, {"kind": "curricularface", "scale": 64, "m": 0.5, "t": 0.3}),
    # The vectors' losses are without the penalty, which test_magface.py looks at.
    "magface_s64": (lambda c: MagFace(c, penalty_weight=0.0), {"kind": "magface", "scale": 64}),
    "adacos_fixed": (lambda c: AdaCos(c, dynamic=False), {"kind": "normface", "scale": "adacos"}),
}

# Cases that heads.json does not hold, or holds after a step of training (test_head_state.py).
FORMULA_ONLY = {
    "adaface": (AdaFace, {"kind": "adaface", "scale": 64, "mean": 14.0, "deviation": 3.0}),
    "magface_past_pi": (
        lambda c: MagFace(c, penalty_weight=0.0, easy_margin=False),
        {"kind": "magface", "scale": 64, "easy": False},
    ),
    "elasticface_arc": (lambda c: ElasticFace(c, sigma=0.0), {"kind": "arcface", "scale": 64, "m": 0.5}),
    "elasticface_cos": (lambda c: ElasticFace(c, sigma=0.0, kind="cos"), {"kind": "cosface", "scale": 64, "m": 0.35}),
}
EVERY_CASE = {**CASES, **FORMULA_ONLY}

# State that a case needs before its logits are the ones stated.
STATE = {
    "sphereface2_lambda0.7_r40_m0.4_t3_b-3": {"bias": -3.0},
    "curricular_s64_m0.5_t0.3": {"t": 0.3},
    "adaface": {"norm_mean": 14.0, "norm_deviation": 3.0},
}


def ready(head, prototypes, bias=None, state=None):
    head.build((None, np.shape(prototypes)[1]))
    head.prototypes.assign(prototypes)
    if bias is not None and isinstance(head, Softmax):
        head.bias.assign(bias)
    for name, value in (state or {}).items():
        getattr(head, name).assign(value)
    return head


# The largest angle whose cosine float32 cannot tell from 1 or −1's, 4.9e-4.
BLUR = np.arccos(1.0 - 2.0**-23)


def blurred(x, prototypes, labels, slope):
    """(B, 1) what float32 takes from a target whose curve has a slope at θ = 0 and π: cos θ no longer tells θ there."""
    cosine = reference.cosines(x, prototypes)[np.arange(len(labels)), labels]
    return (slope * BLUR * (np.abs(cosine) > np.cos(2 * BLUR)))[:, None]


def assert_close(ours, expected, *, rtol=1e-4, atol):
    """|ours − expected| ≤ atol + rtol · |expected|, with an `atol` for each row."""
    ours, expected = array(ours), np.asarray(expected)
    excess = np.abs(ours - expected) - rtol * np.abs(expected) - atol
    assert (excess <= 0).all(), f"beyond the tolerance by {excess.max()} at {np.argwhere(excess > 0).tolist()}"


@pytest.mark.shared_data
@pytest.mark.parametrize("name", CASES)
def test_equals_the_shared_vectors(name, vectors):
    x = np.array(vectors["x"], np.float32)
    labels = np.array(vectors["y"])
    expected = vectors["heads"][name]
    head = ready(CASES[name][0](9), vectors["prototypes"], vectors["bias"], STATE.get(name))
    slope = CASES[name][1].get("slope_at_ends", 0.0) * (head.scale or 1.0)
    blur = blurred(np.array(vectors["x"]), np.array(vectors["prototypes"]), labels, slope)
    losses, ours, _ = losses_and_gradients(head, x, labels)
    if "logits" in expected:
        assert_close(head(x, labels), expected["logits"], atol=1e-4 * (head.scale or 1.0) + blur)
    assert_close(losses, expected["loss"], atol=1e-4 + blur[:, 0])
    assert np.isfinite(ours).all()  # the edges too, where there is no reference
    for row, theirs in enumerate(expected.get("grad_x", [])):
        if theirs is not None:
            np.testing.assert_allclose(ours[row], theirs, rtol=1e-3, atol=1e-5)


@pytest.mark.shared_data
@pytest.mark.parametrize("name", CASES)
def test_equals_the_shared_vectors_to_the_last_edge_in_float64(name, vectors, float64):
    x, labels, expected = np.array(vectors["x"]), np.array(vectors["y"]), vectors["heads"][name]
    single = CASES[name][0](9)
    head = type(single).from_config({**single.get_config(), "dtype": "float64"})
    ready(head, vectors["prototypes"], vectors["bias"], STATE.get(name))
    assert_close(head.loss(x, labels), expected["loss"], rtol=1e-6, atol=1e-6)
    if "logits" in expected:
        assert_close(head(x, labels), expected["logits"], rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("name", EVERY_CASE)
def test_equals_its_formula_on_random_faces(name, rng):
    x, prototypes = rng.normal(size=(32, 24)) * 3, rng.normal(size=(11, 24))
    bias, labels = rng.normal(size=11), rng.integers(0, 11, 32)
    # Some targets near and some opposite to their prototype: random vectors are all at about 90°.
    x[:12] = 2 * prototypes[labels[:12]] * np.where(np.arange(12) < 6, 1, -1)[:, None] + rng.normal(size=(12, 24)) * 0.3
    head = ready(EVERY_CASE[name][0](11), prototypes, bias, STATE.get(name))
    expected = reference.logits(x=x, prototypes=prototypes, labels=labels, bias=bias, **EVERY_CASE[name][1])
    x32 = x.astype(np.float32)
    np.testing.assert_allclose(array(head(x32, labels)), expected, rtol=1e-4, atol=1e-4 * (head.scale or 1.0))
    losses = reference.losses(expected, labels, **EVERY_CASE[name][1])
    np.testing.assert_allclose(array(head.loss(x32, labels)), losses, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", EVERY_CASE)
def test_without_labels_gives_plain_cosines(name, rng):
    x, prototypes = rng.normal(size=(5, 8)).astype(np.float32), rng.normal(size=(4, 8))
    head = ready(EVERY_CASE[name][0](4), prototypes, np.zeros(4))
    values = array(head(x))
    if name.startswith(("softmax", "l_softmax")):
        expected = x @ prototypes.T
    else:
        magnitude = head.scale or np.linalg.norm(x, axis=1, keepdims=True)
        expected = magnitude * reference.cosines(x, prototypes)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", EVERY_CASE)
def test_config_round_trips(name):
    head = EVERY_CASE[name][0](7)
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(head))
    assert type(twin) is type(head)
    assert twin.get_config() == head.get_config()


@pytest.mark.parametrize("name", ["arcface", "cosface", "magface", "mv_softmax", "sphereface", "a_softmax"])
def test_the_embeddings_length_as_scale_round_trips(name):
    head = heads.get(name, num_classes=7, scale=None)
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(head))
    assert twin.scale is None


@pytest.mark.parametrize("name", ["sphereface_r", "sphereface2"])
def test_a_loss_that_is_divided_by_the_scale_needs_one(name):
    with pytest.raises(ValueError, match="divides its loss by the scale"):
        heads.get(name, num_classes=7, scale=None)


def test_a_scale_stands_in_for_the_embeddings_length(rng):
    x, prototypes, labels = rng.normal(size=(6, 8)) * 5, rng.normal(size=(4, 8)), rng.integers(0, 4, 6)
    cosines = reference.cosines(x, prototypes)
    theta = np.arccos(cosines[np.arange(6), labels])
    expected = 30.0 * reference.with_target(cosines, labels, reference.psi_from_angle(theta, 4))
    head = ready(ASoftmax(4, annealing=None, scale=30.0), prototypes)
    np.testing.assert_allclose(array(head(x.astype(np.float32), labels)), expected, rtol=1e-4, atol=3e-3)
    with pytest.raises(ValueError, match="Softmax has no scale"):
        Softmax(4, scale=30.0)


def test_easy_margin_is_not_the_default(rng):
    behind = np.array([[-1.0, 0.1]], np.float32)  # more than 90° from its prototype
    prototypes = np.array([[1.0, 0.0], [0.0, 1.0]])
    hard = ready(ArcFace(2), prototypes)(behind, np.array([0]))
    easy = ready(ArcFace(2, easy_margin=True), prototypes)(behind, np.array([0]))
    assert hard[0, 0] < easy[0, 0]


def first_loss(head, classes, dimensions, rng):
    x = rng.normal(size=(256, dimensions)).astype(np.float32)
    head.build((None, dimensions))
    return float(np.mean(array(head.loss(x, rng.integers(0, classes, 256)))))


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        (ArcFace(10572), 43.9),
        (ArcFace(85742), 46.0),
        (CosFace(85742), 37.8),
        (CosFace(10572, scale=30.0, margin=0.4), 22.1),
    ],
    ids=["arcface_10572", "arcface_85742", "cosface_85742", "cosface_s30_10572"],
)
def test_first_loss_is_the_closed_form(head, expected, rng):
    # ln C + s²/(2D) + s·sin m (ArcFace) or s·m (CosFace) at random directions, D = 512.
    assert abs(first_loss(head, head.num_classes, 512, rng) - expected) < 0.5


def test_a_list_of_both_inputs_is_refused(rng):
    with pytest.raises(ValueError, match=r"two arguments: head\(embeddings, labels\)"):
        CosFace(5)([rng.normal(size=(3, 8)), np.array([0, 1, 2])])


def test_works_as_a_layer_with_a_labels_input(rng):
    embeddings, labels = keras.Input((8,)), keras.Input((), dtype="int32")
    model = keras.Model([embeddings, labels], CosFace(5, scale=16.0)(embeddings, labels))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = rng.normal(size=(40, 8)).astype(np.float32), rng.integers(0, 5, 40)
    losses = model.fit([x, y], y, epochs=4, verbose=0).history["loss"]
    assert model.output_shape == (None, 5)
    assert losses[-1] < losses[0]
