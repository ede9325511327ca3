"""Values: every head against the shared vectors and against a float64 recomputation from the angles."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasface.heads import Annealing, ArcFace, ASoftmax, CosFace, ModifiedSoftmax, NormFace, Softmax
from tests.heads import reference


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
}


def ready(head, prototypes, bias=None):
    head.build((None, np.shape(prototypes)[1]))
    head.prototypes.assign(prototypes)
    if bias is not None and hasattr(head, "bias"):
        head.bias.assign(bias)
    return head


def gradient(head, x, labels):
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = head.loss(x, labels)
    return tape.gradient(loss, x).numpy()


@pytest.mark.shared_data
@pytest.mark.parametrize("name", CASES)
def test_equals_the_shared_vectors(name, vectors):
    x = np.array(vectors["x"], np.float32)
    labels = np.array(vectors["y"])
    expected = vectors["heads"][name]
    head = ready(CASES[name][0](9), vectors["prototypes"], vectors["bias"])
    scale = head.scale or 1.0
    np.testing.assert_allclose(head(x, labels), expected["logits"], rtol=1e-4, atol=1e-4 * scale)
    np.testing.assert_allclose(head.loss(x, labels), expected["loss"], rtol=1e-4, atol=1e-4)
    ours = gradient(head, x, labels)
    assert np.isfinite(ours).all()  # the edges too, where there is no reference
    for row, theirs in enumerate(expected.get("grad_x", [])):
        if theirs is not None:
            np.testing.assert_allclose(ours[row], theirs, rtol=1e-3, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_equals_its_formula_on_random_faces(name, rng):
    x, prototypes = rng.normal(size=(32, 24)) * 3, rng.normal(size=(11, 24))
    bias, labels = rng.normal(size=11), rng.integers(0, 11, 32)
    # Some targets near and some opposite to their prototype: random vectors are all at about 90°.
    x[:12] = 2 * prototypes[labels[:12]] * np.where(np.arange(12) < 6, 1, -1)[:, None] + rng.normal(size=(12, 24)) * 0.3
    head = ready(CASES[name][0](11), prototypes, bias)
    expected = reference.logits(x=x, prototypes=prototypes, labels=labels, bias=bias, **CASES[name][1])
    x32 = x.astype(np.float32)
    np.testing.assert_allclose(head(x32, labels), expected, rtol=1e-4, atol=1e-4 * (head.scale or 1.0))
    np.testing.assert_allclose(head.loss(x32, labels), reference.cross_entropy(expected, labels), rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize("name", CASES)
def test_without_labels_gives_plain_cosines(name, rng):
    x, prototypes = rng.normal(size=(5, 8)).astype(np.float32), rng.normal(size=(4, 8))
    head = ready(CASES[name][0](4), prototypes, np.zeros(4))
    values = np.asarray(head(x))
    if name == "softmax":
        expected = x @ prototypes.T
    else:
        magnitude = head.scale or np.linalg.norm(x, axis=1, keepdims=True)
        expected = magnitude * reference.cosines(x, prototypes)
    np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", CASES)
def test_config_round_trips(name):
    head = CASES[name][0](7)
    twin = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(head))
    assert type(twin) is type(head)
    assert twin.get_config() == head.get_config()


def test_a_scale_stands_in_for_the_embeddings_length(rng):
    x, prototypes, labels = rng.normal(size=(6, 8)) * 5, rng.normal(size=(4, 8)), rng.integers(0, 4, 6)
    cosines = reference.cosines(x, prototypes)
    theta = np.arccos(cosines[np.arange(6), labels])
    expected = 30.0 * reference.with_target(cosines, labels, reference.psi_from_angle(theta, 4))
    head = ready(ASoftmax(4, annealing=None, scale=30.0), prototypes)
    np.testing.assert_allclose(head(x.astype(np.float32), labels), expected, rtol=1e-4, atol=3e-3)
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
    return float(np.mean(head.loss(x, rng.integers(0, classes, 256))))


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


def test_works_as_a_layer_with_a_labels_input(rng):
    embeddings, labels = keras.Input((8,)), keras.Input((), dtype="int32")
    model = keras.Model([embeddings, labels], CosFace(5, scale=16.0)(embeddings, labels))
    model.compile("sgd", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x, y = rng.normal(size=(40, 8)).astype(np.float32), rng.integers(0, 5, 40)
    losses = model.fit([x, y], y, epochs=4, verbose=0).history["loss"]
    assert model.output_shape == (None, 5)
    assert losses[-1] < losses[0]
