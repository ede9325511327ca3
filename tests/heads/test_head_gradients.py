"""Gradients: true where they exist, finite where they don't, in every precision."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from kerasface.heads import ArcFace, ASoftmax, CosFace, ModifiedSoftmax, NormFace, Softmax

BUILDERS = {
    "softmax": Softmax,
    "modified_softmax": ModifiedSoftmax,
    "normface": NormFace,
    "cosface": CosFace,
    "arcface": ArcFace,
    "arcface_easy": lambda c, **o: ArcFace(c, easy_margin=True, **o),
    "a_softmax": lambda c, **o: ASoftmax(c, annealing=None, **o),
    "a_softmax_annealed": ASoftmax,
}


def losses_and_gradients(head, x, labels):
    x = tf.convert_to_tensor(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = tf.reduce_sum(head.loss(x, labels))
    by_x, by_prototypes = tape.gradient(loss, [x, head.prototypes.value])
    return float(loss), by_x.numpy(), by_prototypes.numpy()


@pytest.mark.parametrize("name", BUILDERS)
def test_equal_finite_differences(name, rng):
    head = BUILDERS[name](6, dtype="float64")
    x, labels = rng.normal(size=(5, 7)) * 2, rng.integers(0, 6, 5)
    head.build((None, 7))
    head.prototypes.assign(rng.normal(size=(6, 7)))
    _, by_x, by_prototypes = losses_and_gradients(head, x, labels)

    def total(x_, prototypes):
        head.prototypes.assign(prototypes)
        return float(tf.reduce_sum(head.loss(x_, labels)))

    prototypes, step = head.prototypes.numpy(), 1e-6
    for at in np.ndindex(x.shape):
        move = np.zeros_like(x)
        move[at] = step
        slope = (total(x + move, prototypes) - total(x - move, prototypes)) / (2 * step)
        assert by_x[at] == pytest.approx(slope, rel=1e-4, abs=1e-6)
    for at in [(0, 0), (3, 2), (5, 6)]:
        move = np.zeros_like(prototypes)
        move[at] = step
        slope = (total(x, prototypes + move) - total(x, prototypes - move)) / (2 * step)
        assert by_prototypes[at] == pytest.approx(slope, rel=1e-4, abs=1e-6)


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
    head.prototypes.assign(prototypes)
    x = tf.cast(_with_zero_row(prototypes, labels), compute)
    loss, by_x, by_prototypes = losses_and_gradients(head, x, labels)
    assert np.isfinite(loss)
    assert np.isfinite(by_x.astype(np.float64)).all()
    assert np.isfinite(by_prototypes).all()
    assert head(x, labels).dtype == tf.float32  # the island, whatever surrounds it


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


def test_detached_margin_trains_with_the_slope_of_the_plain_cosine(rng):
    # d target / d cos is 1 when the shift is a constant; the reported loss stays that of the margin.
    x, labels = rng.normal(size=(4, 6)).astype(np.float32), np.array([0, 1, 2, 0])
    plain, true, detached = ArcFace(3, margin=0.0), ArcFace(3), ArcFace(3, detach_margin=True)
    prototypes = rng.normal(size=(3, 6))
    for head in (plain, true, detached):
        head.build((None, 6))
        head.prototypes.assign(prototypes)
    np.testing.assert_allclose(true.loss(x, labels), detached.loss(x, labels), rtol=1e-6)

    def target_slope(head):
        x_ = tf.constant(x)
        with tf.GradientTape() as tape:
            tape.watch(x_)
            targets = tf.reduce_sum(tf.gather(head(x_, labels), labels, axis=1, batch_dims=1))
        return tape.gradient(targets, x_).numpy()

    np.testing.assert_allclose(target_slope(detached), target_slope(plain), rtol=1e-4, atol=1e-4)
    assert not np.allclose(target_slope(true), target_slope(plain), rtol=1e-2)


def test_out_of_range_label_in_a_graph_is_a_nan_of_its_row_alone(rng):
    head = ArcFace(5)
    x = rng.normal(size=(3, 4)).astype(np.float32)
    head.build((None, 4))
    losses = tf.function(lambda labels: head.loss(x, labels))(tf.constant([0, 7, 4])).numpy()
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
    losses = np.asarray(ArcFace(3).loss(x, np.array([0, 1])))
    np.testing.assert_array_equal(np.isnan(losses), [False, True])
