import numpy as np
import pytest
from keras import ops

from kerasface.heads import MagFace
from tests.heads.autodiff import array, losses_and_gradients


def penalties(head, lengths):
    return array(head.penalty(ops.convert_to_tensor(np.asarray(lengths, np.float32))))


def ready(prototypes, **options):
    head = MagFace(len(prototypes), **options)
    head.build((None, prototypes.shape[1]))
    head.prototypes.assign(prototypes)
    return head


def test_penalty_is_its_formula_between_the_limits():
    lengths = np.array([1.0, 10.0, 25.0, 60.0, 110.0, 500.0])
    clipped = np.clip(lengths, 10, 110)
    np.testing.assert_allclose(penalties(MagFace(5), lengths), 35 * (1 / clipped + clipped / 110**2), rtol=1e-5)


def test_penalty_is_smallest_at_the_upper_limit():
    values = penalties(MagFace(5), np.linspace(10, 110, 101))
    assert (np.diff(values) < 0).all()
    assert values[-1] == pytest.approx(35 * 2 / 110, rel=1e-5)


def test_penalty_stands_in_the_loss_and_not_in_the_logits(rng):
    x, labels = (rng.normal(size=(6, 8)) * 10).astype(np.float32), rng.integers(0, 4, 6)
    prototypes = rng.normal(size=(4, 8))
    plain, penalised = ready(prototypes, penalty_weight=0.0), ready(prototypes)
    np.testing.assert_array_equal(*(array(head(x, labels)) for head in (plain, penalised)))
    added = np.subtract(*(array(head.loss(x, labels)) for head in (penalised, plain)))
    clipped = np.clip(np.linalg.norm(x, axis=1), 10, 110)
    np.testing.assert_allclose(added, 35 * (1 / clipped + clipped / 110**2), rtol=1e-3, atol=1e-4)


def test_longer_embeddings_have_a_larger_margin(rng):
    x, prototypes = rng.normal(size=8), rng.normal(size=(3, 8))
    prototypes[0] = x + 0.3 * rng.normal(size=8)  # near its prototype, where cos falls with the margin
    lengths = np.array([5.0, 10.0, 30.0, 80.0, 110.0, 200.0])
    faces = (lengths[:, None] * x / np.linalg.norm(x)).astype(np.float32)
    targets = array(ready(prototypes, scale=1.0)(faces, np.zeros(6, int)))[:, 0]
    theta = np.arccos(x @ prototypes[0] / np.linalg.norm(x) / np.linalg.norm(prototypes[0]))
    margins = np.arccos(targets) - theta
    np.testing.assert_allclose(margins, [0.45, 0.45, 0.52, 0.695, 0.8, 0.8], atol=1e-4)


def test_outside_the_limits_no_gradient_reaches_the_length(rng, float64):
    x = rng.normal(size=(4, 8))
    x *= np.array([2.0, 20.0, 60.0, 300.0])[:, None] / np.linalg.norm(x, axis=1, keepdims=True)
    labels = np.array([0, 1, 2, 0])
    prototypes = rng.normal(size=(3, 8))
    prototypes += 0.2 * x[:3]  # all in front, where easy_margin leaves a margin
    _, by_x, _ = losses_and_gradients(ready(prototypes, dtype="float64"), x, labels)
    radial = np.sum(by_x * x, axis=1) / np.linalg.norm(x, axis=1)
    np.testing.assert_allclose(radial[[0, 3]], 0.0, atol=1e-9)
    assert (np.abs(radial[[1, 2]]) > 1e-4).all()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"lower_norm": 0.0}, "lower_norm"),
        ({"lower_norm": 10.0, "upper_norm": 10.0}, "upper_norm must be more than"),
        ({"lower_margin": 0.8, "upper_margin": 0.5}, "upper_margin"),
        ({"penalty_weight": -1.0}, "penalty_weight"),
    ],
)
def test_bad_limits_are_errors(options, words):
    with pytest.raises(ValueError, match=words):
        MagFace(5, **options)
