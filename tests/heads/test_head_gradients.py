"""Gradients: true where they exist, finite where they don't, in every precision."""

import keras
import numpy as np
import pytest

from kerasface.heads import (
    AdaCos,
    AdaFace,
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
    SubCenterArcFace,
)
from tests.heads.autodiff import array, compiled, losses_and_gradients

BUILDERS = {
    "softmax": Softmax,
    "modified_softmax": ModifiedSoftmax,
    "normface": NormFace,
    "cosface": CosFace,
    "arcface": ArcFace,
    "arcface_easy": lambda c, **o: ArcFace(c, easy_margin=True, **o),
    "a_softmax": lambda c, **o: ASoftmax(c, annealing=None, **o),
    "a_softmax_annealed": ASoftmax,
    "l_softmax": LSoftmax,
    "sphereface": SphereFace,
    # The true gradient; that of detach_margin, their default, is test_multiplicative_margins.py's and
    # test_sphereface2.py's.
    "sphereface_r_v1": lambda c, **o: SphereFaceR(c, detach_margin=False, **o),
    "sphereface_r_v2": lambda c, **o: SphereFaceR(c, version=2, detach_margin=False, **o),
    "sphereface2": lambda c, **o: SphereFace2(c, detach_margin=False, **o),
    "combined_margin": CombinedMargin,
    "mv_softmax_arc": MVSoftmax,
    "mv_softmax_am": lambda c, **o: MVSoftmax(c, margin=0.35, kind="am", **o),
    "subcenter_arcface": SubCenterArcFace,
    "adacos": AdaCos,
    "curricularface": CurricularFace,
    # Limits that most of the test's embeddings lie between: outside them no gradient reaches the length.
    "magface": lambda c, **o: MagFace(c, lower_norm=1.0, upper_norm=20.0, **o),
    "magface_past_pi": lambda c, **o: MagFace(c, lower_norm=1.0, upper_norm=20.0, easy_margin=False, **o),
    # Such an h makes z = ±1, a constant; that its gradient is left out is test_adaface.py's.
    "adaface": lambda c, **o: AdaFace(c, h=1e6, **o),
    "elasticface_arc": lambda c, **o: ElasticFace(c, seed=1, **o),
    "elasticface_cos_plus": lambda c, **o: ElasticFace(c, kind="cos", plus=True, seed=1, **o),
}


@pytest.mark.parametrize("name", BUILDERS)
def test_equal_finite_differences(name, rng, float64):
    head = BUILDERS[name](6, dtype="float64")
    x, labels = rng.normal(size=(5, 7)) * 2, rng.integers(0, 6, 5)
    head.build((None, 7))
    head.prototypes.assign(rng.normal(size=head.prototypes.shape))
    _, by_x, (by_prototypes, *_) = losses_and_gradients(head, x, labels)

    def total(x_, prototypes):
        head.prototypes.assign(prototypes)
        return array(head.loss(x_, labels)).sum()

    prototypes, step = array(head.prototypes), 1e-6
    for at in np.ndindex(x.shape):
        move = np.zeros_like(x)
        move[at] = step
        slope = (total(x + move, prototypes) - total(x - move, prototypes)) / (2 * step)
        assert by_x[at] == pytest.approx(slope, rel=1e-4, abs=1e-6)
    for at in [(0, ..., 0), (3, ..., 2), (5, ..., 6)]:  # all sub-centres of a class, where there are some
        move = np.zeros_like(prototypes)
        move[at] = step
        slope = (total(x, prototypes + move) - total(x, prototypes - move)) / (2 * step)
        assert by_prototypes[at].sum() == pytest.approx(slope, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", BUILDERS)
def test_are_finite_at_every_edge(name, policy, rng):
    prototypes = np.array([[1, 0], [0, 1], [-1, 0], [0, -1], [0.6, 0.8], [0.8, -0.6]], np.float32)
    labels = np.arange(6)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        head = BUILDERS[name](6)
    finally:
        keras.config.set_dtype_policy(before)
    compute = keras.DTypePolicy(policy).compute_dtype
    head.build((None, 2))
    centers = np.repeat(prototypes[:, None], head.centers, axis=1)  # sub-centres that coincide: which is nearest?
    head.prototypes.assign(np.reshape(centers, head.prototypes.shape))
    x = keras.ops.cast(_with_zero_row(prototypes, labels), compute)
    losses, by_x, by_weights = losses_and_gradients(head, x, labels)
    assert np.isfinite(losses).all()
    assert np.isfinite(by_x.astype(np.float64)).all()
    assert all(np.isfinite(gradient).all() for gradient in by_weights)
    # float32 whatever surrounds it
    assert keras.backend.standardize_dtype(head(x, labels).dtype) == "float32"


def _with_zero_row(prototypes, labels):
    x = prototypes[labels].copy()
    x[1] = -x[1]
    x[2] = [0.0, 1.0]
    x[3] = 0.0
    x[4] *= 1e-2
    x[5] *= 1e2
    return x


def test_a_zero_embedding_gives_zero_gradient_to_a_normalised_head():
    head = ArcFace(3)
    _, by_x, _ = losses_and_gradients(head, np.zeros((2, 4), np.float32), np.array([0, 1]))
    assert not by_x.any()


class TargetLogits:
    """Takes the target's logit for a loss, so that its gradient can be asked for."""

    built = True

    def __init__(self, head):
        self.head, self.trainable_weights = head, head.trainable_weights

    def loss(self, x, labels):
        labels = keras.ops.convert_to_tensor(labels)
        return keras.ops.take_along_axis(self.head(x, labels), labels[:, None], axis=1)[:, 0]


def test_detached_margin_trains_with_the_slope_of_the_plain_cosine(rng):
    # d target / d cos is 1 when the shift is a constant; the reported loss stays that of the margin.
    x, labels = rng.normal(size=(4, 6)).astype(np.float32), np.array([0, 1, 2, 0])
    plain, true, detached = ArcFace(3, margin=0.0), ArcFace(3), ArcFace(3, detach_margin=True)
    prototypes = rng.normal(size=(3, 6))
    for head in (plain, true, detached):
        head.build((None, 6))
        head.prototypes.assign(prototypes)
    np.testing.assert_allclose(array(true.loss(x, labels)), array(detached.loss(x, labels)), rtol=1e-6)

    def target_slope(head):
        return losses_and_gradients(TargetLogits(head), x, labels)[1]

    np.testing.assert_allclose(target_slope(detached), target_slope(plain), rtol=1e-4, atol=1e-4)
    assert not np.allclose(target_slope(true), target_slope(plain), rtol=1e-2)


def test_out_of_range_label_in_a_graph_is_a_nan_of_its_row_alone(rng):
    head = ArcFace(5)
    x = rng.normal(size=(3, 4)).astype(np.float32)
    head.build((None, 4))
    loss = compiled(lambda labels: head.loss(x, labels))
    if loss is None:
        pytest.skip("without a graph labels have values, and this is an error")
    losses = array(loss(keras.ops.convert_to_tensor([0, 7, 4])))
    np.testing.assert_array_equal(np.isnan(losses), [False, True, False])


@pytest.mark.parametrize(
    ("labels", "error", "words"),
    [
        (np.array([0, 5, 2]), ValueError, r"lie in \[0, 5\)"),
        (np.array([0, -1, 2]), ValueError, r"label -1"),
        (np.array([0.0, 1.0, 2.0], np.float32), TypeError, "integers"),
        (np.array([[0], [1], [2]]), ValueError, r"\(B,\)"),
    ],
    ids=["too_high", "negative", "float", "two_axes"],
)
def test_bad_labels_are_errors(labels, error, words, rng):
    head = CosFace(5)
    x = rng.normal(size=(3, 4)).astype(np.float32)
    with pytest.raises(error, match=words):
        head.loss(x, labels)
    with pytest.raises(error, match=words):
        head(x, labels)


def test_nan_embedding_gives_nan_loss_not_a_number(rng):
    x = rng.normal(size=(2, 4)).astype(np.float32)
    x[1, 2] = np.nan
    losses = array(ArcFace(3).loss(x, np.array([0, 1])))
    np.testing.assert_array_equal(np.isnan(losses), [False, True])
