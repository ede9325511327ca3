import numpy as np
import pytest
from keras import ops

from kerasface.heads import ElasticFace
from tests.heads import reference
from tests.heads.autodiff import array

CLASSES, DIM, BATCH = 4, 8, 4096


def ready(**options):
    head = ElasticFace(CLASSES, scale=1.0, dtype="float64", **options)
    head.build((None, DIM))
    head.prototypes.assign(np.random.default_rng(1).normal(size=(CLASSES, DIM)))
    return head


def faces(rng):
    return rng.normal(size=(BATCH, DIM)), rng.integers(0, CLASSES, BATCH)


def own_cosines(head, x, labels):
    prototypes = array(head.prototypes)
    return reference.cosines(x, prototypes)[np.arange(BATCH), labels]


def margins(head, x, labels, training=False):
    """The draws, read off the logits."""
    targets = array(head(x, labels, training=training))[np.arange(BATCH), labels]
    cosines = own_cosines(head, x, labels)
    if head.kind == "cos":
        return cosines - targets
    return np.where(targets >= -1.0, np.arccos(np.clip(targets, -1, 1)) - np.arccos(cosines), np.nan)


@pytest.mark.parametrize(("kind", "mean"), [("arc", 0.5), ("cos", 0.35)])
def test_margins_are_normal_around_the_papers(kind, mean, rng):
    draws = margins(ready(kind=kind, seed=3), *faces(rng), training=True)
    draws = draws[np.isfinite(draws)]
    assert len(draws) > BATCH * 0.9
    assert draws.mean() == pytest.approx(mean, abs=4 * 0.0125 / np.sqrt(len(draws)))
    assert draws.std() == pytest.approx(0.0125, rel=0.05)
    inside = np.mean(np.abs(draws - mean) < 0.0125)  # 68.3 % of a normal distribution
    assert inside == pytest.approx(0.683, abs=0.03)


def test_only_training_draws_anew(rng):
    head, faces_ = ready(kind="cos", seed=3), faces(rng)
    first = margins(head, *faces_)
    np.testing.assert_array_equal(first, margins(head, *faces_))
    trained = margins(head, *faces_, training=True)
    assert not np.allclose(first, trained)
    np.testing.assert_array_equal(trained, margins(head, *faces_))
    assert not np.allclose(trained, margins(head, *faces_, training=True))


def test_a_seed_repeats_a_run(rng):
    faces_ = faces(rng)
    runs = [[margins(head, *faces_, training=True) for _ in range(3)] for head in map(ready_cos, (3, 3, 4))]
    np.testing.assert_array_equal(runs[0], runs[1])
    assert not np.allclose(runs[0], runs[2])


def ready_cos(seed):
    return ready(kind="cos", seed=seed)


@pytest.mark.parametrize("kind", ["arc", "cos"])
def test_plus_gives_the_largest_margins_to_the_farthest(kind, rng):
    x, labels = faces(rng)
    plain, plus = ready(kind=kind, seed=3), ready(kind=kind, plus=True, seed=3)
    dealt = margins(plus, x, labels)
    nearest_first = dealt[np.argsort(-own_cosines(plus, x, labels))]
    nearest_first = nearest_first[np.isfinite(nearest_first)]
    assert (np.diff(nearest_first) > -1e-6).all()
    if kind == "cos":  # the same draws, in another order
        np.testing.assert_allclose(np.sort(dealt), np.sort(margins(plain, x, labels)), atol=1e-6)


def test_the_hook_may_be_evaluated_twice(rng):
    head, cosine = ready(plus=True, seed=3), ops.convert_to_tensor(rng.uniform(-1, 1, 9))
    np.testing.assert_array_equal(*(array(head.adjust_target(cosine, None)) for _ in range(2)))


@pytest.mark.parametrize(
    ("options", "words"),
    [({"kind": "sphere"}, "kind must be"), ({"sigma": -1.0}, "sigma"), ({"kind": "cos", "margin": 1.5}, "margin")],
)
def test_bad_arguments_are_errors(options, words):
    with pytest.raises(ValueError, match=words):
        ElasticFace(5, **options)
