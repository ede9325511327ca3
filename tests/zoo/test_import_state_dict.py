"""PyTorch state dicts: what is read, what is refused, what is never run, and that the mapping is right."""

import os
import pickle
import zipfile

import numpy as np
import pytest
import safetensors.torch
import torch

from kerasface.errors import KerasfaceError
from kerasface.zoo.importer.sources import open_source
from tests.zoo.torch_networks import MBF, IResNet, embed, perturbed


def assert_same(opened, network, pictures):
    """Our network and our run of the tensors, against the module that they came from."""
    pixels = (pictures.astype(np.float32) - 127.5) / 127.5
    expected = embed(network, pixels)
    scale = abs(expected).max()
    np.testing.assert_allclose(opened.backbone.predict_on_batch(pixels), expected, atol=1e-5 * scale)
    np.testing.assert_allclose(opened.run(pictures), expected, atol=1e-5 * scale)
    assert abs(expected).std() > 0.01 * scale


@pytest.fixture(scope="module")
def state(torch_networks):
    return torch_networks["iresnet18"].state_dict()


@pytest.mark.parametrize("arch", ["iresnet18", "mbf"])
def test_a_state_dict_becomes_our_network(arch, torch_networks, pictures, tmp_path):
    path = tmp_path / "backbone.pth"
    torch.save(torch_networks[arch].state_dict(), path)
    opened = open_source(path, arch)
    assert_same(opened, torch_networks[arch], pictures)
    assert opened.backbone.input_shape == (None, 32, 32, 3)
    assert opened.preprocessing.mean == opened.preprocessing.std == (127.5,) * 3


def test_safetensors_and_prefixes_and_half_precision_are_read_alike(state, torch_networks, pictures, tmp_path):
    prefixed = {f"module.{name}": tensor.contiguous() for name, tensor in state.items()}
    safetensors.torch.save_file(prefixed, tmp_path / "any.name")
    assert_same(open_source(tmp_path / "any.name", "iresnet18"), torch_networks["iresnet18"], pictures)
    half = perturbed(IResNet(18), seed=2)
    for tensor in half.state_dict().values():
        if tensor.is_floating_point():
            tensor.copy_(tensor.half().float())
    halved = {name: t.half() if t.is_floating_point() else t for name, t in half.state_dict().items()}
    torch.save(halved, tmp_path / "half.pt")
    assert_same(open_source(tmp_path / "half.pt", "iresnet18"), half, pictures)


@pytest.mark.slow
@pytest.mark.parametrize("depth", [34, 50, 100, 200])
def test_every_depth_has_its_mapping(depth, pictures, tmp_path):
    network = perturbed(IResNet(depth), seed=depth)
    torch.save(network.state_dict(), tmp_path / "backbone.pth")
    assert_same(open_source(tmp_path / "backbone.pth", f"iresnet{depth}"), network, pictures)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("arch", "make"), [("iresnet18", lambda: IResNet(18, 112, 512)), ("mbf", lambda: MBF(112, 512))]
)
def test_full_size(arch, make, tmp_path):
    from kerasface.export import natural_images

    network = perturbed(make())
    torch.save(network.state_dict(), tmp_path / "backbone.pth")
    opened = open_source(tmp_path / "backbone.pth", arch)
    assert opened.backbone.input_shape == (None, 112, 112, 3)
    assert_same(opened, network, natural_images(4))


def without(state, name):
    return {key: value for key, value in state.items() if key != name}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda s: without(s, "layer3.1.bn2.running_var"), r"missing 1: layer3.1.bn2.running_var"),
        (lambda s: without(s, "layer3.1.prelu.weight"), r"missing 1: layer3.1.prelu.weight"),
        (lambda s: without(s, "fc.weight"), "no tensor 'fc.weight'"),
        (lambda s: {**s, "layer2.2.conv1.weight": torch.zeros(1)}, r"unexpected 1: layer2.2.conv1.weight"),
        (lambda s: {**s, "conv1.bias": torch.zeros(64)}, r"unexpected 1: conv1.bias"),
        (lambda s: {**s, "prelu.weight": torch.ones(1)}, r"'prelu.weight' of \(64,\). Received: \(1,\)"),
        (lambda s: {**s, "fc.weight": torch.ones(16, 512 * 3)}, "square pictures"),
        (lambda s: {**s, "layer1.0.conv2.weight": torch.full((64, 64, 3, 3), torch.nan)}, "not finite"),
        (lambda s: {**s, "module.conv1.weight": s["conv1.weight"]}, "'conv1.weight' twice"),
        (lambda s: {**s, "features.weight": -torch.ones(16)}, "'features' has a gamma fixed at 1"),
        (lambda s: {"epoch": 3, "state": s}, "'epoch' of int.*save that part alone"),
        (lambda s: {**s, "labels": torch.ones(3, dtype=torch.int64)}, "'labels' of torch.int64"),
        (lambda s: {}, "no dict of tensors"),
        (lambda s: [1, 2], "no dict of tensors. Received: list"),
        (lambda s: {"a": torch.zeros(1)}, "no tensor 'fc.weight'. Received: 1 tensors, a"),
    ],
)
def test_tensors_that_do_not_fit_are_named(state, change, message, tmp_path):
    torch.save(change(state), tmp_path / "backbone.pth")
    with pytest.raises(KerasfaceError, match=message):
        open_source(tmp_path / "backbone.pth", "iresnet18")


def test_another_architecture_is_refused(state, torch_networks, tmp_path):
    path = tmp_path / "backbone.pth"
    torch.save(state, path)
    with pytest.raises(KerasfaceError, match=r"no iresnet34: missing \d+: layer1.2.bn1.weight.* more\. Is it another"):
        open_source(path, "iresnet34")
    with pytest.raises(KerasfaceError, match="no mbf: it has no tensor 'features.layers.0"):
        open_source(path, "mbf")
    with pytest.raises(KerasfaceError, match="export backbone.pth to ONNX"):
        open_source(path, "mobilefacenet")
    with pytest.raises(KerasfaceError, match="expected one of iresnet18.*Received: resnet"):
        open_source(path, "resnet")


def test_a_gamma_that_training_moved_is_kept(torch_networks, pictures, tmp_path):
    network = perturbed(IResNet(18), seed=3)
    network.features.weight.data.uniform_(0.6, 1.4)
    torch.save(network.state_dict(), tmp_path / "backbone.pth")
    assert_same(open_source(tmp_path / "backbone.pth", "iresnet18"), network, pictures)


class Hostile:
    """Writes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.system, (f"touch {self.path}",)


@pytest.mark.parametrize("how", ["torch zip", "torch legacy", "plain pickle"])
def test_nothing_in_a_pickle_is_run(state, how, tmp_path):
    bait, path = tmp_path / "bait", tmp_path / "hostile.pth"
    content = {**state, "payload": Hostile(bait)}
    if how == "plain pickle":
        path.write_bytes(pickle.dumps({"payload": Hostile(bait)}))
        pickle.loads(path.read_bytes())
        assert bait.exists(), "the bait works"
        bait.unlink()
    else:
        torch.save(content, path, _use_new_zipfile_serialization=how == "torch zip")
    with pytest.raises(KerasfaceError, match="nothing else in it is ever run") as failure:
        open_source(path, "iresnet18")
    assert not bait.exists()
    assert "weights_only" not in str(failure.value)


def test_a_small_file_does_not_fill_the_memory(tmp_path):
    path = tmp_path / "small.pt"
    tied = torch.zeros(1000, 1000)
    torch.save({"one.weight": tied, "other.weight": tied}, path)  # twice the file's size, and honest
    with pytest.raises(KerasfaceError, match="it has no tensor"):
        open_source(path, "iresnet18")
    torch.save({"fc.weight": torch.zeros(1, dtype=torch.float16).expand(1 << 20, 1 << 20)}, path)
    with pytest.raises(KerasfaceError, match=f"says that it holds tensors of {1 << 41:,}: it is damaged or forged"):
        open_source(path, "iresnet18")
    torch.save({"fc.weight": torch.zeros(1 << 20)}, tmp_path / "large.pt")
    with zipfile.ZipFile(tmp_path / "large.pt") as stored, zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed:
        for name in stored.namelist():
            packed.writestr(name, stored.read(name))
    with pytest.raises(KerasfaceError, match="it is compressed, as no file of torch.save is. Save the weights alone"):
        open_source(path, "iresnet18")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_truncated_file_is_told(state, suffix, tmp_path):
    path = tmp_path / f"backbone{suffix}"
    if suffix == ".pth":
        torch.save(state, path)
    else:
        safetensors.torch.save_file(state, path)
    whole = path.read_bytes()
    for length in (len(whole) - 100, len(whole) // 2, 9, 3):
        path.write_bytes(whole[:length])
        with pytest.raises(KerasfaceError, match=f"{path.name}"):
            open_source(path, "iresnet18")


def test_the_parts_of_a_checkpoint_are_named(tmp_path):
    path = tmp_path / "checkpoint_gpu_0.pt"  # as arcface_torch keeps it to resume from
    optimizer = {"state": {}, "param_groups": []}
    weights = {"conv1.weight": torch.zeros(2)}
    parts = {"state_dict_backbone": weights, "state_dict_softmax_fc": {"weight": torch.zeros(2)}}
    torch.save({"epoch": 3, **parts, "state_optimizer": optimizer}, path)
    named = r"torch\.save\(checkpoint\['state_dict_backbone' or 'state_dict_softmax_fc'\]"
    with pytest.raises(KerasfaceError, match=named):
        open_source(path, "iresnet18")
    torch.save({"epoch": 3}, path)
    with pytest.raises(KerasfaceError, match=r"torch\.save\(checkpoint\[…\]"):
        open_source(path, "iresnet18")


def test_other_files_are_refused(tmp_path):
    (tmp_path / "text.bin").write_text("hello, weights")
    with pytest.raises(KerasfaceError, match="no source of weights.*named .pt or .pth"):
        open_source(tmp_path / "text.bin", "mbf")
    (tmp_path / "basic.h5").write_bytes(b"\x89HDF\r\n\x1a\n")
    with pytest.raises(
        KerasfaceError, match=r"no source of weights.*is not imported but wrapped, as docs/migrating\.md"
    ):
        open_source(tmp_path / "basic.h5", "mobilefacenet")
    with pytest.raises(KerasfaceError, match="no file .*gone.pth"):
        open_source(tmp_path / "gone.pth", "mbf")
    safetensors.torch.save_file({"conv1.weight": torch.ones(2, dtype=torch.int32)}, tmp_path / "odd.safetensors")
    with pytest.raises(KerasfaceError, match="'conv1.weight' of I32"):
        open_source(tmp_path / "odd.safetensors", "mbf")
