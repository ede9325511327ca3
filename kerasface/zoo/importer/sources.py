"""Opens a file of weights, whatever it is, and brings them into one of our architectures."""

import dataclasses
import hashlib
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np

from kerasface.edge.runtime import file_format, open_session
from kerasface.errors import KerasfaceError
from kerasface.zoo.importer.architectures import ARCHITECTURES, build, build_like
from kerasface.zoo.importer.expressions import lift
from kerasface.zoo.importer.keras_graph import read_keras
from kerasface.zoo.importer.loading import load_all
from kerasface.zoo.importer.matching import match
from kerasface.zoo.importer.onnx_graph import read_onnx
from kerasface.zoo.importer.preprocessing import Preprocessing, recognise
from kerasface.zoo.importer.state_dict import is_safetensors, pair, read_state_dict, sizes
from kerasface.zoo.importer.tflite_graph import read_tflite
from kerasface.zoo.importer.torch_network import TorchNetwork

__all__ = ["Opened", "open_source"]

_RUNTIMES = {"onnx": "ONNX Runtime", "tflite": "LiteRT"}
_READERS = {"onnx": read_onnx, "tflite": read_tflite}
_TORCH_SUFFIXES = (".pt", ".pth")
_FREE_BATCH = 16


@dataclasses.dataclass(frozen=True)
class Opened:
    """A source with its weights in one of our networks.

    Args:
        backbone: `keras.Model`, loaded.
        preprocessing: `Preprocessing` that the backbone wants.
        run: callable, uint8 (N, H, W, 3) RGB to (N, D): the source itself, in its own runtime.
        runtime: its name.
        is_unit: whether the source gives embeddings of length 1.
        sha256: of the file.
    """

    backbone: keras.Model
    preprocessing: Preprocessing
    run: Callable[[np.ndarray], np.ndarray]
    runtime: str
    is_unit: bool
    sha256: str


def open_source(path, arch, *, mean=None, std=None, color_order="rgb"):
    """Reads a file of weights into an architecture.

    Args:
        path: `.pt`, `.pth` or `.safetensors` state dict, ONNX or TFLite file.
        arch: one of `ARCHITECTURES`.
        mean, std, color_order: what the source's input wants, see `recognise`.

    Returns:
        `Opened`.

    Raises:
        KerasfaceError: no such file, a damaged one, none of these formats, or another architecture.
    """
    path = Path(path)
    if arch not in ARCHITECTURES:
        raise KerasfaceError(f"unknown architecture; expected one of {', '.join(ARCHITECTURES)}. Received: {arch}")
    if not path.is_file():
        raise KerasfaceError(f"no file {path}: expected a .pt, .pth, .safetensors, .onnx or .tflite file.")
    content = path.read_bytes()
    wanted = {"mean": mean, "std": std, "color_order": color_order}
    if path.suffix.lower() in _TORCH_SUFFIXES or is_safetensors(content):
        fields = _from_state_dict(path, content, arch, wanted)
    else:
        fields = _from_graph(path, content, arch, wanted)
    return Opened(*fields, sha256=hashlib.sha256(content).hexdigest())


def _from_state_dict(path, content, arch, wanted):
    if arch == "mobilefacenet":
        raise KerasfaceError(
            f"no one way to name mobilefacenet's tensors in PyTorch is known: export {path.name} to ONNX, and import "
            "that."
        )
    tensors = read_state_dict(path, content)
    backbone = build(arch, **sizes(tensors, arch))
    load_all(backbone, pair(backbone, tensors, arch))
    caller, preprocessing = recognise(None, **wanted)
    network = TorchNetwork(tensors, arch)
    return backbone, preprocessing, lambda images: network(caller(images)), network.runtime, False


def _from_graph(path, content, arch, wanted):
    kind = _graph_format(content, path)
    graph = lift(_READERS[kind](content, path))
    is_unit = graph.kind == "unit_length"
    if is_unit:
        graph = graph.source
    backbone = build_like(arch, graph)
    pairs, first = match(read_keras(backbone), graph, arch)
    load_all(backbone, pairs)
    caller, preprocessing = recognise(first, **wanted)
    session = open_session(content, path)
    return backbone, preprocessing, lambda images: _run(session, caller(images)), _RUNTIMES[kind], is_unit


def _graph_format(content, path):
    try:
        return file_format(content, path)
    except KerasfaceError as error:
        keras_own = path.suffix in (".h5", ".hdf5", ".keras")
        way_out = ". A model of Keras is not imported but wrapped, as docs/migrating.md shows (a trained model)."
        raise KerasfaceError(
            f"{path} is no source of weights: expected an ONNX, TFLite or safetensors file, or a PyTorch state dict "
            f"named .pt or .pth. Received: {len(content)} bytes, the first are {content[:8]!r}{way_out * keras_own}"
        ) from error


def _run(session, pixels):
    count, size = len(pixels), session.input_shape[0] or _FREE_BATCH
    if session.input_shape[1] == 3:
        pixels = pixels.transpose(0, 3, 1, 2)
    pixels = np.pad(pixels, ((0, -count % size), (0, 0), (0, 0), (0, 0))).astype(session.input_dtype)
    batches = [np.ascontiguousarray(pixels[start : start + size]) for start in range(0, len(pixels), size)]
    return np.concatenate([session.run(batch)[0].reshape(size, -1) for batch in batches])[:count]
