"""ONNX embedders: exports of PyTorch with batch norm folded or not, and our own, with preprocessing in the graph."""

import copy
import io

import numpy as np
import onnx
import pytest
import torch
from onnx import numpy_helper

from kerasface import export
from kerasface.backbones import MobileFaceNet
from kerasface.errors import KerasfaceError
from kerasface.zoo.importer.sources import open_source
from tests.backbones.networks import settle
from tests.export.samples import spec_of
from tests.zoo.conftest import SIZE
from tests.zoo.torch_networks import embed

FOLDED, WHOLE = torch.onnx.TrainingMode.EVAL, torch.onnx.TrainingMode.PRESERVE


def to_onnx(network, path, *, mode=FOLDED, batch=1):
    content = io.BytesIO()
    torch.onnx.export(
        network, torch.zeros(batch, 3, SIZE, SIZE), content, dynamo=False, opset_version=13, training=mode,
        do_constant_folding=mode is FOLDED, input_names=["picture"], output_names=["embedding"],
    )  # fmt: skip
    path.write_bytes(content.getvalue())
    return path


class Prepared(torch.nn.Module):
    """MXNet-era files subtract and scale themselves; some take BGR from RGB; some end at unit length."""

    def __init__(self, network):
        super().__init__()
        self.network = network

    def forward(self, pixels):
        pixels = (pixels[:, [2, 1, 0]] - 127.5) * 0.0078125
        return torch.nn.functional.normalize(self.network(pixels))


pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")


@pytest.fixture(scope="module")
def files(torch_networks, tmp_path_factory):
    folder = tmp_path_factory.mktemp("onnx")
    return {
        "iresnet18 folded": to_onnx(torch_networks["iresnet18"], folder / "a.onnx"),
        "iresnet18 whole": to_onnx(torch_networks["iresnet18"], folder / "b.onnx", mode=WHOLE, batch=3),
        "mbf folded": to_onnx(torch_networks["mbf"], folder / "c.onnx"),
        "mbf whole": to_onnx(torch_networks["mbf"], folder / "d.onnx", mode=WHOLE),
        "mbf prepared": to_onnx(Prepared(torch_networks["mbf"]).eval(), folder / "e.onnx"),
    }


@pytest.mark.parametrize("name", ["iresnet18 folded", "iresnet18 whole", "mbf folded", "mbf whole"])
def test_an_export_becomes_our_network(name, files, torch_networks, pixels, pictures):
    arch, how = name.split()
    kinds = {node.op_type for node in onnx.load(files[name]).graph.node}
    batch_norms = sum(node.op_type == "BatchNormalization" for node in onnx.load(files[name]).graph.node)
    assert "PRelu" in kinds
    assert batch_norms == {"iresnet18": {"folded": 10, "whole": 31}, "mbf": {"folded": 1, "whole": 50}}[arch][how]
    opened = open_source(files[name], arch)
    expected = embed(torch_networks[arch], pixels)
    scale = abs(expected).max()
    np.testing.assert_allclose(opened.backbone.predict_on_batch(pixels), expected, atol=1e-5 * scale)
    np.testing.assert_allclose(opened.run(pictures), expected, atol=1e-5 * scale)
    assert opened.preprocessing.mean == opened.preprocessing.std == (127.5,) * 3
    assert not opened.is_unit


def test_batch_norm_that_is_whole_arrives_as_it_is_and_folded_as_one(files, torch_networks):
    theirs = torch_networks["mbf"].layers[0].layers[1]
    whole, folded = (
        open_source(files[f"mbf {how}"], "mbf").backbone.get_layer("layers_0_layers_1") for how in ("whole", "folded")
    )
    for ours, name in zip(whole.get_weights(), ("weight", "bias", "running_mean", "running_var"), strict=True):
        np.testing.assert_allclose(ours, getattr(theirs, name).detach().numpy(), rtol=1e-6)
    gamma, beta, mean, variance = folded.get_weights()
    np.testing.assert_array_equal(gamma, np.ones(128))
    np.testing.assert_array_equal(mean, np.zeros(128))
    np.testing.assert_allclose(variance, np.full(128, 1 - folded.epsilon), rtol=1e-7)
    expected = (theirs.bias - theirs.running_mean * theirs.weight / (theirs.running_var + 1e-5).sqrt()).detach()
    np.testing.assert_allclose(beta, expected.numpy(), rtol=1e-4, atol=1e-5)


def test_preprocessing_in_the_graph_is_recognised(files, torch_networks, pictures):
    opened = open_source(files["mbf prepared"], "mbf")
    found = opened.preprocessing
    assert (found.mean, found.std, found.color_order) == ((127.5,) * 3, (128.0,) * 3, "bgr")
    assert opened.is_unit
    pixels = (pictures[..., ::-1].astype(np.float32) - 127.5) / 128
    expected = embed(torch_networks["mbf"], pixels)
    embedded = opened.backbone.predict_on_batch(found(pictures))
    np.testing.assert_allclose(embedded, expected, atol=1e-5 * abs(expected).max())
    expected /= np.linalg.norm(expected, axis=1, keepdims=True)
    np.testing.assert_allclose(opened.run(pictures), expected, atol=1e-5)


def test_a_bias_before_batch_norm_moves_into_its_mean(torch_networks, pixels, tmp_path):
    network = copy.deepcopy(torch_networks["mbf"])
    convolution = network.layers[0].layers[0]
    convolution.bias = torch.nn.Parameter(torch.linspace(-2, 2, convolution.out_channels))
    opened = open_source(to_onnx(network, tmp_path / "biased.onnx", mode=WHOLE), "mbf")
    expected = embed(network, pixels)
    assert abs(expected - embed(torch_networks["mbf"], pixels)).max() > 0.1 * abs(expected).max()
    np.testing.assert_allclose(opened.backbone.predict_on_batch(pixels), expected, atol=1e-5 * abs(expected).max())


def test_what_the_caller_does_is_joined_with_what_the_graph_does(files):
    # p / 2 on BGR pixels; then the file turns them to RGB, subtracts 127.5 and divides by 128.
    opened = open_source(files["mbf prepared"], "mbf", mean=0.0, std=2.0, color_order="bgr")
    found = opened.preprocessing
    assert (found.mean, found.std, found.color_order) == ((255.0,) * 3, (256.0,) * 3, "rgb")
    # ((p − m) / s − 127.5) / 128 of each channel, which the file turns to BGR first.
    uneven = open_source(files["mbf prepared"], "mbf", mean=(1, 2, 3), std=(2, 4, 8), color_order="rgb").preprocessing
    assert (uneven.mean, uneven.std, uneven.color_order) == ((1023.0, 512.0, 256.0), (1024.0, 512.0, 256.0), "bgr")
    plain = open_source(files["mbf folded"], "mbf", mean=(1, 2, 3), std=(4, 5, 6), color_order="bgr").preprocessing
    assert (plain.mean, plain.std, plain.color_order) == ((1, 2, 3), (4, 5, 6), "bgr")


@pytest.mark.parametrize("arguments", [{"mean": 1.0}, {"mean": 1.0, "std": 0.0}, {"mean": np.nan, "std": 1.0}])
def test_numbers_that_cannot_be_are_refused(files, arguments):
    with pytest.raises(KerasfaceError, match="mean"):
        open_source(files["mbf folded"], "mbf", **arguments)


@pytest.mark.parametrize("color_order", ["rgb", "bgr"])
def test_our_own_export_comes_back(color_order, pictures, many, tmp_path):
    backbone = MobileFaceNet(input_shape=(SIZE, SIZE, 3), width=0.125, embedding_dim=16)
    settle(backbone, many)
    spec = spec_of(backbone, color_order=color_order, mean=(120, 127.5, 130), std=(128, 127, 126))
    path = tmp_path / "ours.onnx"
    export.to_onnx(backbone, path, spec=spec)
    opened = open_source(path, "mobilefacenet")
    assert opened.is_unit
    assert (opened.preprocessing.mean, opened.preprocessing.std) == (spec.mean, spec.std)
    assert opened.preprocessing.color_order == color_order
    prepared = opened.preprocessing(pictures)
    expected = backbone.predict_on_batch(prepared)
    # Folded batch norms round, and each processor's kernels in their own way.
    np.testing.assert_allclose(opened.backbone.predict_on_batch(prepared), expected, atol=2e-5 * abs(expected).max())


def changed(path, change, tmp_path):
    model = onnx.load(path)
    change(model.graph)
    (tmp_path / "changed.onnx").write_bytes(model.SerializeToString())
    return tmp_path / "changed.onnx"


def rename_operator(kind, other):
    def change(graph):
        node = [node for node in graph.node if node.op_type == kind][3]
        node.op_type, node.name = other, "the_odd_one"
        del node.input[1:], node.attribute[:]

    return change


def set_first(attribute, kind, value):
    def change(graph):
        node = next(node for node in graph.node if node.op_type == kind)
        next(entry for entry in node.attribute if entry.name == attribute).ints[:] = value

    return change


def poison(graph):
    tensor = next(tensor for tensor in graph.initializer if len(tensor.dims) == 4)
    values = numpy_helper.to_array(tensor).copy()
    values.flat[7] = np.inf
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))


def send_away(graph):
    graph.initializer[0].data_location = onnx.TensorProto.EXTERNAL


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (rename_operator("PRelu", "Sigmoid"), "expected our prelu.*Received: Sigmoid 'the_odd_one'"),
        (rename_operator("PRelu", "Relu"), None),  # a PReLU of slope 0
        (rename_operator("Add", "GlobalAveragePool"), "expected our add.*Received: GlobalAveragePool"),
        (
            set_first("pads", "Conv", [0, 0, 1, 1]),
            r"with padding \(1, 1, 1, 1\), but that of the source is \(0, 1, 0, 1\)",
        ),
        (poison, "not finite.*damaged"),
        (send_away, "in another file"),
    ],
)
def test_other_graphs_are_refused_and_the_tensor_is_named(files, change, message, tmp_path):
    path = changed(files["mbf folded"], change, tmp_path)
    if message is None:
        open_source(path, "mbf")
        return
    with pytest.raises(KerasfaceError, match=message):
        open_source(path, "mbf")


def test_another_architecture_is_refused_by_a_tensor(files):
    with pytest.raises(KerasfaceError, match="the source is no iresnet18: expected our dense.*Received: dense 512×16"):
        open_source(files["mbf whole"], "iresnet18")
    with pytest.raises(KerasfaceError, match="the source is no mobilefacenet"):
        open_source(files["mbf folded"], "mobilefacenet")


def test_a_truncated_file_is_told(files, tmp_path):
    whole = files["mbf folded"].read_bytes()
    for length in (len(whole) // 2, 100, 1):
        (tmp_path / "half.onnx").write_bytes(whole[:length])
        with pytest.raises(KerasfaceError, match="half.onnx"):
            open_source(tmp_path / "half.onnx", "mbf")


@pytest.mark.parametrize(
    "damage",
    [
        lambda graph: graph.initializer[0].dims.__setitem__(0, 7),  # more numbers than there are
        lambda graph: graph.initializer[0].__setattr__("data_type", 0),
        lambda graph: graph.node[-1].input.__delitem__(slice(1, None)),
    ],
)
def test_a_file_that_contradicts_itself_is_told(damage, files, tmp_path):
    model = onnx.load(files["mbf folded"])
    damage(model.graph)
    (tmp_path / "odd.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(KerasfaceError, match=r"odd.onnx \([\d]+ bytes\) is no whole ONNX file: \w+Error: "):
        open_source(tmp_path / "odd.onnx", "mbf")
