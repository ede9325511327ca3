import logging

import numpy as np
import pytest
import tensorflow as tf

from kerasface import heads
from kerasface.toy import Setting, load_digits, paper_settings, run_paper, train_toy


@pytest.fixture(scope="module")
def digits():
    return load_digits(train=300, test=50)


@pytest.fixture
def built(monkeypatch):
    """The heads that an experiment builds, in order."""
    kept, get = [], heads.get
    monkeypatch.setattr(heads, "get", lambda *a, **k: kept.append(get(*a, **k)) or kept[-1])
    return kept


def test_the_same_seed_gives_the_same_run(digits):
    setting = Setting("CosFace", "cosface", {"scale": 8.0, "margin": 0.1})
    first, again = (train_toy(setting, digits, seed=3, epochs=2) for _ in range(2))
    assert first.train_features.shape == (300, 2)
    assert first.test_features.shape == (50, 2)
    assert first.prototypes.shape == (10, 2)
    np.testing.assert_allclose(first.test_features, again.test_features, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(first.losses, again.losses, rtol=1e-5)
    assert len(first.losses) == 2
    other = train_toy(setting, digits, seed=4, epochs=2)
    assert not np.allclose(first.test_features, other.test_features, rtol=1e-2)


def test_several_in_a_row_print_nothing(digits, monkeypatch):
    said = []
    monkeypatch.setattr(tf.get_logger(), "handlers", [_Listening(said)])
    for _ in range(3):
        train_toy(Setting("NSL", "normface"), digits, epochs=10)
    assert said == []


class _Listening(logging.Handler):
    def __init__(self, said):
        super().__init__()
        self.emit = lambda record: said.append(record.getMessage())


def test_it_learns_and_says_how_well(digits, built):
    run = train_toy(Setting("NSL", "normface", {"scale": 8.0}, embedding_dim=3), digits, epochs=25)
    assert run.losses[-1] < 0.5 * run.losses[0]
    unit = run.prototypes / np.linalg.norm(run.prototypes, axis=1, keepdims=True)
    for part in ("train", "test"):
        features, labels = getattr(run, f"{part}_features"), getattr(digits, f"{part}_labels")
        assert features.shape[1] == 3
        nearest = (features @ unit.T).argmax(axis=1)
        assert getattr(run, f"{part}_accuracy") == pytest.approx((nearest == labels).mean(), abs=1e-6)
    assert run.train_accuracy > 0.7
    assert built[0].scale == 8.0


def test_annealing_ends_with_the_training(digits, built):
    train_toy(Setting("A-Softmax", "a_softmax", {"margin": 4}, annealed=True), digits, epochs=2)
    (head,) = built
    steps = 2 * 3  # 300 images in batches of 128
    assert int(head.iteration) == steps
    assert head.annealing(0) == pytest.approx(1000)
    assert head.annealing(steps) == pytest.approx(1000 * 1.5**-35)
    assert float(head.annealing_lambda) < 1e-3


def test_a_bias_can_stay_zero(digits, built):
    for bias in (True, False):
        run = train_toy(Setting("Softmax", "softmax", bias=bias), digits, epochs=1)
        assert run.prototypes.shape == (10, 2)
    assert np.abs(built[0].bias.numpy()).max() > 0
    assert not built[1].bias.numpy().any()


def test_a_last_relu_leaves_nothing_negative(digits):
    assert train_toy(Setting("Softmax", "softmax", last_relu=True), digits, epochs=1).test_features.min() >= 0
    assert train_toy(Setting("Softmax", "softmax"), digits, epochs=1).test_features.min() < 0


def test_sub_centres_give_one_prototype_a_class(digits):
    assert train_toy(Setting("Sub", "subcenter_arcface", {"scale": 8.0}), digits, epochs=1).prototypes.shape == (10, 2)


def test_the_papers_heads_run_in_two_dimensions_and_three(digits, monkeypatch):
    from kerasface.toy import paper

    trained, seen = [], []
    monkeypatch.setattr(
        paper, "train_toy", lambda setting, *a, **options: trained.append((setting, options)) or setting
    )
    runs = run_paper(digits, seed=5, epochs=7, progress=lambda done, total: seen.append((done, total)))
    assert runs == [*paper_settings(2), *paper_settings(3)]
    assert all(options == {"seed": 5, "epochs": 7} for _, options in trained)
    assert seen == [(count, 18) for count in range(1, 19)]
    for dimension in (2, 3):
        settings = paper_settings(dimension)
        assert {setting.embedding_dim for setting in settings} == {dimension}
        margins = [setting.arguments["margin"] for setting in settings if setting.head == "a_softmax"]
        assert margins == [1, 2, 3, 4]
        assert {setting.head for setting in settings} == {
            "softmax", "modified_softmax", "a_softmax", "normface", "cosface", "arcface",
        }  # fmt: skip
        for setting in settings:
            heads.get(setting.head, num_classes=5, **setting.arguments)
