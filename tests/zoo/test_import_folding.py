"""Joined linear steps compute what the steps they replace compute, number by number."""

import dataclasses

import numpy as np
import pytest

from kerasface.zoo.importer.folding import fold_normalization, is_pointwise, join_normalizations, join_pointwise
from kerasface.zoo.importer.nodes import Node


def apply(node, x):
    """The steps from the picture to `node`, in NumPy."""
    if node.kind == "input":
        return x
    x = apply(node.source, x)
    if node.kind == "normalization":
        return node.gamma * (x - node.mean) / np.sqrt(node.variance + node.epsilon) + node.beta
    bias = 0 if node.bias is None else node.bias
    return x @ np.reshape(node.kernel, (-1, node.kernel.shape[-1])) + bias


@pytest.fixture
def chain(rng):
    """input → dense → normalization → normalization → pointwise convolution → dense."""
    nodes = [Node("input", (), "x", (1, 1, 4))]

    def dense(outputs, bias):
        values = {"kernel": rng.normal(size=(nodes[-1].shape[-1], outputs)), "bias": bias and rng.normal(size=outputs)}
        nodes.append(Node("dense", (nodes[-1],), "w", (1, 1, outputs), values))

    def normalization():
        count = nodes[-1].shape[-1]
        gamma, beta, mean = rng.normal(size=(3, count))
        values = {"gamma": gamma, "beta": beta, "mean": mean, "variance": rng.uniform(1, 2, count), "epsilon": 0.1}
        nodes.append(Node("normalization", (nodes[-1],), "bn", nodes[-1].shape, values))

    dense(5, bias=False)
    normalization()
    normalization()
    dense(3, bias=True)
    dense(6, bias=True)
    return nodes


def test_joined_steps_compute_the_same(chain, rng):
    x = rng.normal(size=(7, 4))
    joined = join_normalizations(chain[3])
    assert joined.source is chain[1]
    np.testing.assert_allclose(apply(joined, x), apply(chain[3], x))
    folded = fold_normalization(joined)
    assert folded.source is chain[0]
    np.testing.assert_allclose(apply(folded, x), apply(chain[3], x))
    whole = join_pointwise(chain[5])
    assert whole.source is chain[3]
    np.testing.assert_allclose(apply(whole, x), apply(chain[5], x))


def test_a_single_normalization_stays_as_it_is(chain):
    assert join_normalizations(chain[2]) is chain[2]


def test_only_plain_1x1_convolutions_are_pointwise():
    plain = {"kernel": np.zeros((1, 1, 4, 4)), "strides": (1, 1), "padding": (0, 0, 0, 0), "groups": 1, "bias": None}
    node = Node("convolution", (), "w", (8, 8, 4), plain)
    assert is_pointwise(node)
    for change in ({"strides": (2, 2)}, {"padding": (0, 1, 0, 1)}, {"groups": 2}, {"kernel": np.zeros((3, 3, 4, 4))}):
        assert not is_pointwise(node.replace(**change)), change
    assert not is_pointwise(dataclasses.replace(node, kind="prelu"))
