import keras
import pytest

from kerasface import KerasfaceError
from kerasface.edge.delegation import Delegation, delegation
from kerasface.export import count_operators, to_tflite
from tests.export.samples import DIMENSION, spec_of


def test_plain_layers_are_one_piece_between_the_cast_and_the_normalization(exported):
    assert delegation(exported["tflite", "fp32"][0]) == Delegation(1, 10, ("CAST", "L2_NORMALIZATION"))


def test_the_unpacking_of_fp16_weights_is_a_piece_of_its_own(exported):
    path, report = exported["tflite", "fp16"]
    nodes = sum(report.parity.operators.values()) - 2
    assert delegation(path) == report.delegation == Delegation(2, nodes, ("CAST", "L2_NORMALIZATION"))


def test_an_operator_that_xnnpack_lacks_cuts_the_graph(tmp_path):
    layers = keras.layers
    x = images = keras.Input((16, 16, 3))
    x = layers.Conv2D(4, 3, strides=2)(x)
    # Nearest neighbours; XNNPACK resizes bilinearly only.
    x = keras.ops.image.resize(x, (14, 14), interpolation="nearest")
    x = layers.Conv2D(4, 3, strides=2)(x)
    backbone = keras.Model(images, layers.Dense(DIMENSION)(layers.Flatten()(x)))
    to_tflite(backbone, tmp_path / "cut.tflite", spec=spec_of(backbone), precision="fp32")
    cut = delegation(tmp_path / "cut.tflite")
    nodes = sum(count_operators(tmp_path / "cut.tflite").values()) - 3
    assert cut == Delegation(2, nodes, ("CAST", "RESIZE_NEAREST_NEIGHBOR", "L2_NORMALIZATION"))


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(KerasfaceError, match="no model file"):
        delegation(tmp_path / "none.tflite")
