"""The fused and the chunked loss against autodiff through the plain (B, C) logits, which knows nothing of either."""

import keras
import numpy as np
import pytest

from kerasface.heads import ArcFace, ASoftmax, CosFace, ModifiedSoftmax, Softmax
from kerasface.heads.fused import log_sum
from tests.heads.autodiff import losses_and_gradients

CLASSES, DIM, BATCH = 11, 6, 9
pytestmark = pytest.mark.usefixtures("float64")


class Hardened(CosFace):
    """Others that lie close get closer: a head that changes all logits."""

    def adjust_others(self, cosines, target):
        hard = cosines > target[:, None]
        return keras.ops.where(hard, cosines * (0.3 + cosines), cosines)


class HardenedByLength(Hardened):
    """The same, with the embedding's length as magnitude."""

    def __init__(self, num_classes, **options):
        super().__init__(num_classes, **options)
        self.scale = None


class Centers(ArcFace):
    """Three prototypes a class."""

    centers = 3


class Priced(ModifiedSoftmax):
    """A penalty on the embedding's length."""

    def penalty(self, norm):
        return 0.1 * norm


BUILDERS = {
    "cosface": CosFace,
    "arcface": lambda c, **o: ArcFace(c, scale=16.0, **o),
    "arcface_detached": lambda c, **o: ArcFace(c, scale=16.0, detach_margin=True, **o),
    "a_softmax": lambda c, **o: ASoftmax(c, annealing=None, **o),
    "hardened": lambda c, **o: Hardened(c, scale=8.0, margin=0.2, **o),
    "hardened_by_length": lambda c, **o: HardenedByLength(c, margin=0.2, **o),
    "centers": lambda c, **o: Centers(c, scale=8.0, margin=0.2, **o),
    "priced": Priced,
}


def dense(head):
    """The same head with its losses taken from its (B, C) logits."""

    class Dense(type(head)):
        def logits_among(self, *args):
            return super().logits_among(*args)

    head.__class__ = Dense
    return head


def batch(rng):
    """Embeddings all around their prototypes, one of them zero; two of one class."""
    x, labels = rng.normal(size=(BATCH, DIM)) * 2, rng.integers(0, CLASSES, BATCH)
    labels[3] = labels[5]
    x[4] = 0.0
    return x, labels


def ready(name, rng, dtype="float64", **options):
    head = BUILDERS[name](CLASSES, dtype=dtype, **options)
    head.build((None, DIM))
    prototypes = rng.normal(size=head.prototypes.shape)
    prototypes[2] *= 30.0
    head.prototypes.assign(prototypes)
    return head


@pytest.mark.parametrize("chunk_size", [None, 1, 4, 64])
@pytest.mark.parametrize("name", BUILDERS)
def test_equals_autodiff_through_the_logits(name, chunk_size, rng):
    x, labels = batch(rng)
    fused = ready(name, np.random.default_rng(1), chunk_size=chunk_size)
    plain = dense(ready(name, np.random.default_rng(1)))
    ours, theirs = losses_and_gradients(fused, x, labels), losses_and_gradients(plain, x, labels)
    np.testing.assert_allclose(ours[0], theirs[0], rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-7, atol=1e-9)
    np.testing.assert_allclose(ours[2][0], theirs[2][0], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("chunk_size", [None, 4])
def test_the_backward_blocks_need_not_divide_the_classes(chunk_size, rng, monkeypatch):
    monkeypatch.setattr("kerasface.heads.fused._BLOCK", 3)
    x, labels = batch(rng)
    fused = ready("arcface", np.random.default_rng(1), chunk_size=chunk_size)
    plain = dense(ready("arcface", np.random.default_rng(1)))
    ours, theirs = losses_and_gradients(fused, x, labels), losses_and_gradients(plain, x, labels)
    np.testing.assert_allclose(ours[2][0], theirs[2][0], rtol=1e-7, atol=1e-9)


@pytest.mark.parametrize("chunk_size", [None, 4])
def test_a_sure_sample_keeps_its_small_loss(chunk_size):
    # The loss is far below float32's spacing at 64: subtracting the target's share from the sum would give 0 or less.
    head = CosFace(CLASSES, scale=64.0, margin=0.0, chunk_size=chunk_size)
    head.build((None, CLASSES))
    head.prototypes.assign(np.eye(CLASSES))
    x = np.eye(CLASSES, dtype=np.float32)[:1] + 0.7
    cosines = x[0] / np.linalg.norm(x[0])
    expected = np.log1p(np.sum(np.exp(64.0 * (np.delete(cosines, 0) - cosines[0]).astype(np.float64))))
    assert 1e-9 < expected < 1e-3
    np.testing.assert_allclose(np.asarray(keras.ops.convert_to_numpy(head.loss(x, np.array([0])))), expected, atol=8e-6)


@pytest.mark.parametrize("chunk_size", [None, 4])
def test_a_nan_row_is_the_only_one(chunk_size, rng):
    x, labels = batch(rng)
    x[2, 1] = np.nan
    head = ready("arcface", rng, chunk_size=chunk_size)
    losses = keras.ops.convert_to_numpy(head.loss(x, labels))
    np.testing.assert_array_equal(np.flatnonzero(np.isnan(losses)), [2])


@pytest.mark.parametrize("chunk_size", [None, 1, 4])
def test_the_others_log_sum_leaves_the_target_out(chunk_size, rng):
    x, labels = batch(rng)
    prototypes = rng.normal(size=(CLASSES, DIM)) * 3
    cosines = x @ (prototypes / np.linalg.norm(prototypes, axis=1, keepdims=True)).T
    others = [np.log(np.sum(np.exp(np.delete(row, label)))) for row, label in zip(cosines, labels, strict=True)]
    tensors = keras.ops.convert_to_tensor(x), keras.ops.convert_to_tensor(prototypes)
    found = log_sum(*tensors, labels=keras.ops.convert_to_tensor(labels, "int32"), chunk_size=chunk_size)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(found), others, rtol=1e-6)


def test_chunks_are_refused_where_there_are_none():
    with pytest.raises(ValueError, match="Softmax has no chunked loss"):
        Softmax(4, chunk_size=2)
    with pytest.raises(ValueError, match="chunk_size"):
        ArcFace(4, chunk_size=-1)
