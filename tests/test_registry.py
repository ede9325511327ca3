"""Registry: names to classes, and what it says of names that it has not."""

import keras
import pytest

from kerasface.registry import Registry


@pytest.fixture
def registry():
    registry = Registry("toy")

    @registry.register("dense_toy")
    class DenseToy(keras.layers.Dense):
        pass

    return registry


def test_builds_with_the_arguments_it_is_given(registry):
    layer = registry.get("dense_toy", units=3, name="of_its_own")
    assert (type(layer).__name__, layer.units, layer.name) == ("DenseToy", 3, "of_its_own")


def test_registers_with_keras_so_that_files_find_the_class(registry):
    layer = registry.get("dense_toy", units=3)
    assert type(keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(layer))) is type(layer)


def test_an_unknown_name_lists_those_there_are(registry):
    with pytest.raises(ValueError, match="unknown toy; expected one of dense_toy. Received: name='convolution_toy'"):
        registry.get("convolution_toy")


def test_a_name_is_given_once(registry):
    with pytest.raises(ValueError, match="a toy named 'dense_toy' exists already"):
        registry.register("dense_toy")(type("Other", (), {}))


def test_a_notebooks_cell_that_is_run_again_replaces_its_class(registry):
    def cell():
        @registry.register("mine")
        class Mine(keras.layers.Dense):
            pass

        return Mine

    first, second = cell(), cell()
    assert first is not second
    assert type(registry.get("mine", units=1)) is second


def test_a_function_that_builds_is_as_good_as_a_class(registry):
    @registry.register("built", activation="relu")
    def built(units, activation, *, use_bias=False):
        return keras.layers.Dense(units, activation=activation, use_bias=use_bias)

    assert registry.get("built", units=3).units == 3
    assert registry.defaults("built") == {"units": None, "use_bias": False}
    with pytest.raises(ValueError, match=r"built takes units, use_bias\. Received: width"):
        registry.get("built", units=3, width=2)


def test_a_name_may_settle_arguments(registry):
    @registry.register("small", units=2)
    @registry.register("large", units=200)
    class Sized(keras.layers.Dense):
        pass

    assert registry.names() == ["dense_toy", "large", "small"]
    assert (registry.get("small").units, registry.get("large", name="x").units) == (2, 200)
    with pytest.raises(ValueError, match=r"small has {'units': 2}: leave that out. Received: {'units': 3}"):
        registry.get("small", units=3)


def test_an_unknown_argument_lists_those_that_the_class_and_its_bases_take(registry):
    class Base(keras.layers.Layer):
        def __init__(self, width, *, depth=1, **options):
            super().__init__(**options)

    @registry.register("deep", width=2)
    class Deep(Base):
        def __init__(self, *arguments, margin=0.5, **options):
            super().__init__(*arguments, **options)

    with pytest.raises(ValueError, match=r"^deep takes depth, margin\. Received: margn$"):
        registry.get("deep", margn=0.1, depth=2)
    assert registry.defaults("deep") == {"margin": 0.5, "depth": 1}
    with pytest.raises(ValueError, match="a positive integer"):  # wrong for another reason: the class' own words
        registry.get("dense_toy", units="many")
