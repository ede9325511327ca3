"""Exported files answer as the networks do, and one piece of the graph holds all but the first and last operator."""

import keras
import pytest

from kerasface import backbones
from kerasface.edge.delegation import delegation
from kerasface.export import natural_images, to_onnx, to_tflite
from tests.backbones.networks import DIMENSION, SMALL, settle
from tests.export.samples import spec_of

# A conversion takes longer than everything else here; these two have every kind of layer but attention between them.
QUICK = ("iresnet18", "micro")


@pytest.fixture(
    scope="module", params=[pytest.param(label, marks=[] if label in QUICK else pytest.mark.slow) for label in SMALL]
)
def network(request):
    keras.utils.set_random_seed(5)
    name, arguments = SMALL[request.param]
    model = backbones.get(name, **arguments)
    height, width = model.input_shape[1:3]
    settle(model, (natural_images(32, height=height, width=width, seed=9) - 127.5) / 127.5)
    return model, spec_of(model, embedding_size=DIMENSION)


def test_the_tflite_file_agrees_and_xnnpack_takes_it_whole(network, tmp_path):
    model, spec = network
    report = to_tflite(model, tmp_path / "net.tflite", spec=spec, precision="fp32")
    assert report.parity.images >= 64
    assert report.parity.max_abs < 1e-5
    found = delegation(tmp_path / "net.tflite")
    assert (found.partitions, found.outside) == (1, ("CAST", "L2_NORMALIZATION"))


def test_the_onnx_file_agrees(network, tmp_path):
    model, spec = network
    report = to_onnx(model, tmp_path / "net.onnx", spec=spec)
    assert report.parity.max_abs < 1e-5
    assert not any(":" in name for name in report.parity.operators)
