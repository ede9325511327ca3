"""Elementwise operators are recognised by what they compute, however a converter spells it."""

import numpy as np
import pytest

from kerasface.zoo.importer.expressions import lift
from kerasface.zoo.importer.nodes import Node

SLOPE = np.array([0.1, 0.25, 1.5])
HALF = SLOPE / 2


def picture(kind="convolution"):
    return Node(kind, (), "x", (4, 4, 3))


def step(operator, *operands, name="step"):
    """An elementwise node; operands are nodes and constants."""
    nodes = tuple(dict.fromkeys(part for part in operands if isinstance(part, Node)))
    indices = [nodes.index(part) if isinstance(part, Node) else np.asarray(part, float) for part in operands]
    return Node("elementwise", nodes, name, nodes[0].shape, {"operator": operator, "operands": indices})


def spelled(x):
    relu, negative = step("relu", x), step("negative", x)
    below = step("relu", negative)
    return {
        "one operator": step("leaky_relu", x, SLOPE),
        "tf2onnx": step("add", relu, step("multiply", step("negative", below), SLOPE)),
        "TF-slim": step("add", relu, step("multiply", HALF, step("subtract", x, step("abs", x)))),
        "quantisable": step("minimum", step("maximum", x, step("multiply", x, SLOPE)), 1e9),
    }


@pytest.mark.parametrize("how", ["one operator", "tf2onnx", "TF-slim"])
def test_every_spelling_of_prelu_is_one(how):
    x = picture()
    found = lift(spelled(x)[how])
    assert found.kind == "prelu"
    assert found.source is x
    np.testing.assert_allclose(found.slope, SLOPE)


def test_prelu_is_found_behind_an_addition_and_inside_one():
    a, b = picture(), picture()
    total = step("add", a, b)
    found = lift(spelled(total)["TF-slim"])
    assert (found.kind, found.source.kind) == ("prelu", "add")
    total = lift(step("add", a, spelled(b)["tf2onnx"]))
    assert (total.kind, [part.kind for part in total.inputs]) == ("add", ["convolution", "prelu"])


def test_a_shortcut_is_an_addition_although_all_comes_from_one_picture():
    x = step("relu", picture())
    branch = Node("convolution", (x,), "w", (4, 4, 3))
    total = lift(step("add", x, step("multiply", branch, 2.0)))
    assert total.kind == "add"
    assert [part.kind for part in total.inputs] == ["prelu", "normalization"]


def test_arithmetic_with_constants_is_a_normalization():
    x, rng = picture(), np.random.default_rng(0)
    a, b, c = rng.normal(size=(3, 3))
    whole = lift(step("divide", step("add", step("multiply", step("subtract", a, x), b), c), 2.0))
    values, scale, shift = rng.normal(size=(5, 3)), np.ones(3), np.zeros(3)
    while whole is not x:
        assert whole.kind == "normalization"
        shift = shift + scale * whole.beta
        scale, whole = scale * whole.gamma, whole.source
    np.testing.assert_allclose(scale * values + shift, ((a - values) * b + c) / 2)


def test_what_changes_nothing_vanishes():
    x = picture()
    assert lift(step("copy", step("multiply", step("add", x, 0.0), 1.0))) is x


@pytest.mark.parametrize(
    "expression",
    [
        lambda x: step("minimum", step("relu", x), 6.0),
        lambda x: step("multiply", x, step("relu", x)),
        lambda x: step("square", x),
        lambda x: step("divide", 1.0, x),
        lambda x: step("divide", x, 0.0),
    ],
    ids=["relu6", "swish-like", "square", "reciprocal", "by zero"],
)
def test_other_functions_are_not_taken_for_one(expression):
    assert lift(expression(picture())).kind == "other"


def test_unit_length_is_recognised_in_pieces():
    x = Node("dense", (), "x", (8,))
    length = step("root", step("maximum", step("sum", step("square", x)), 1e-12))
    assert lift(step("divide", x, length)).kind == "unit_length"
    assert lift(step("multiply", x, step("reciprocal_root", step("sum_of_squares", x)))).kind == "unit_length"
    assert lift(step("divide", x, step("sum", x))).kind == "other"


def test_a_network_deeper_than_pythons_stack():
    node = picture()
    for _ in range(3000):
        node = Node("convolution", (step("relu", node),), "w", (4, 4, 3))
    assert lift(node).kind == "convolution"
