"""Reads PyTorch state dicts without running anything that stands in them, and brings their tensors to our layers."""

import json
import pickle
import re
import struct
import zipfile

import keras
import numpy as np

from kerasface.backbones.batch_norm import BatchNormalization
from kerasface.backbones.prelu import PReLU
from kerasface.errors import KerasfaceError
from kerasface.zoo.importer.nodes import Node

__all__ = ["import_torch", "is_safetensors", "pair", "read_state_dict", "sizes"]

_COUNTER = "num_batches_tracked"
# arcface_torch keeps PyTorch's own.
_EPSILON = 1e-5
# How many times its size a file's tensors may come to: tied weights are stored once.
_MOST_SHARED = 4


def import_torch():
    """Imports torch.

    Raises:
        KerasfaceError: it is not installed.
    """
    try:
        import torch
    except ModuleNotFoundError as error:
        raise KerasfaceError("PyTorch weights are read and proven by torch: pip install 'kerasface[import]'") from error
    return torch


def is_safetensors(content):
    """Whether bytes start as a safetensors file: the length of a JSON header, and the header."""
    return len(content) > 8 and content[8:9] == b"{" and struct.unpack("<Q", content[:8])[0] < len(content)


def read_state_dict(path, content):
    """Reads the tensors of a `.pt`, `.pth` or `.safetensors` file.

    Pickles are read with `weights_only=True`, which builds tensors and refuses everything else in the file.

    Args:
        path: of the file.
        content: its bytes.

    Returns:
        dict of name to float32 array, without the prefix `module.` and without batch norms' counters.

    Raises:
        KerasfaceError: torch or safetensors is missing, or the file is damaged or holds something else than a dict of
            tensors.
    """
    tensors = _from_safetensors(path, content) if is_safetensors(content) else _from_pickle(path)
    result = {}
    for key, tensor in tensors.items():
        name = key.removeprefix("module.")
        if name.rsplit(".", 1)[-1] == _COUNTER:
            continue
        if name in result:
            raise KerasfaceError(f"{path} holds the tensor {name!r} twice, with and without the prefix 'module.'.")
        result[name] = tensor
    return result


def _from_safetensors(path, content):
    try:
        import safetensors.numpy
    except ModuleNotFoundError as error:
        raise KerasfaceError("reading safetensors files needs: pip install 'kerasface[import]'") from error
    try:
        header = json.loads(content[8 : 8 + struct.unpack("<Q", content[:8])[0]])
        kinds = {name: entry["dtype"] for name, entry in header.items() if name != "__metadata__"}
        odd = [name for name, kind in kinds.items() if kind not in ("F16", "F32", "F64") and not _is_counter(name)]
        if odd:
            raise KerasfaceError(f"{path}: expected floating-point tensors. Received: {odd[0]!r} of {kinds[odd[0]]}")
        tensors = safetensors.numpy.load(content)
    except (ValueError, KeyError, TypeError, safetensors.SafetensorError) as error:
        raise KerasfaceError(f"{path} ({len(content)} bytes) is no whole safetensors file: {error}") from error
    return {name: values.astype(np.float32) for name, values in tensors.items()}


def _parts(checkpoint):
    """Which of a checkpoint's parts may be a network's weights, as 'backbone' or 'head': the dicts of tensors."""
    dicts = {key: part for key, part in checkpoint.items() if isinstance(part, dict) and part}
    return " or ".join(repr(key) for key, part in dicts.items() if all(hasattr(one, "numel") for one in part.values()))


def _from_pickle(path):
    torch = import_torch()
    try:
        _check_is_stored(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises what its zip reader, its unpickler and its tensors stumble over
        raise KerasfaceError(
            f"{path} can't be read as a dict of tensors, and nothing else in it is ever run: {_reason(error)} Save the "
            "weights alone: torch.save(model.state_dict(), …)."
        ) from error
    if not isinstance(loaded, dict) or not loaded:
        raise KerasfaceError(f"{path} holds no dict of tensors. Received: {type(loaded).__name__}")
    for key, value in loaded.items():
        if not isinstance(value, torch.Tensor) or not (value.is_floating_point() or _is_counter(key)):
            kind = value.dtype if isinstance(value, torch.Tensor) else type(value).__name__
            raise KerasfaceError(
                f"{path}: expected a dict of floating-point tensors. Received: {key!r} of {kind}. If the weights are "
                f"one part of a checkpoint, save that part alone: torch.save(checkpoint[{_parts(loaded) or '…'}], …)."
            )
    # A tensor may be said to repeat one number for ever, and is written out when it becomes float32.
    total, size = sum(value.numel() * value.element_size() for value in loaded.values()), path.stat().st_size
    if total > _MOST_SHARED * size:
        raise KerasfaceError(
            f"{path} of {size:,} bytes says that it holds tensors of {total:,}: it is damaged or forged."
        )
    return {str(key): value.detach().float().numpy() for key, value in loaded.items()}


def _check_is_stored(path):
    """Refuses an archive that is compressed: it may unpack to a thousand times its size."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            if sum(entry.file_size for entry in archive.infolist()) > path.stat().st_size:
                raise ValueError("it is compressed, as no file of torch.save is.")


def _reason(error):
    # Not torch's whole message, which goes on to recommend the way that runs what stands in the file.
    if asked := re.search(r"GLOBAL (\S+)", str(error)):
        return f"it asks for {asked[1]}."
    if isinstance(error, pickle.UnpicklingError):
        return "it is no pickle of tensors."
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]


def _is_counter(name):
    return str(name).rsplit(".", 1)[-1] == _COUNTER


def sizes(tensors, arch):
    """Reads input and embedding size off the tensors that know them.

    Args:
        tensors: dict of name to array, from `read_state_dict`.
        arch: "iresnet…" or "mbf".

    Returns:
        dict: input_shape, embedding_dim.

    Raises:
        KerasfaceError: the tensors are missing, or of a network for pictures that are not square.
    """
    # The last feature map is a sixteenth of the picture: 7×7 of 112×112.
    name, cells = ("features.layers.0.layers.0.weight", (2, 3)) if arch == "mbf" else ("fc.weight", (1,))
    last = "features.layers.3.running_mean" if arch == "mbf" else "features.running_mean"
    for needed in (name, last):
        if needed not in tensors:
            raise KerasfaceError(f"the source is no {arch}: it has no tensor {needed!r}. {_kin(tensors)}")
    shape = tensors[name].shape
    count = np.prod([shape[axis] for axis in cells if axis < len(shape)]) / (1 if arch == "mbf" else 512)
    side = round(count**0.5)
    if side < 1 or side * side != count:
        raise KerasfaceError(f"{name!r} is {shape}, which is no {arch} for square pictures.")
    return {"input_shape": (16 * side, 16 * side, 3), "embedding_dim": len(tensors[last])}


def _kin(tensors):
    return f"Received: {len(tensors)} tensors, {', '.join(sorted(tensors)[:4])}, …"


def pair(model, tensors, arch):
    """Pairs our layers, which are named as PyTorch's with underscores for dots, with the tensors they take.

    Args:
        model: our network.
        tensors: dict of name to array, from `read_state_dict`.
        arch: its name, for messages.

    Returns:
        pairs (Keras layer, `Node` with its values).

    Raises:
        KerasfaceError: missing, unexpected or misshapen tensors, named.
    """
    modules = {}
    for name in tensors:
        module, _, parameter = name.rpartition(".")
        modules.setdefault(module.replace(".", "_"), {})[parameter] = name
    pairs, used, missing = [], set(), []
    for layer in (layer for layer in model.layers if layer.weights):
        wanted = _PARAMETERS[type(layer)](layer)
        names = modules.get(layer.name, {})
        missing += [f"{_dotted(layer.name)}.{parameter}" for parameter in wanted if parameter not in names]
        if any(parameter not in names for parameter in wanted):
            continue
        used.update(names[parameter] for parameter in wanted)
        values = {parameter: tensors[names[parameter]] for parameter in wanted}
        for parameter, shape in wanted.items():
            if values[parameter].shape != shape:
                raise KerasfaceError(
                    f"the source is no {arch}: expected the tensor {names[parameter]!r} of {shape}. "
                    f"Received: {values[parameter].shape}"
                )
        pairs.append((layer, _node(layer, values)))
    unexpected = sorted(set(tensors) - used)
    if missing or unexpected:
        raise KerasfaceError(
            f"the source is no {arch}: {'; '.join([*_some('missing', missing), *_some('unexpected', unexpected)])}. Is "
            "it another architecture?"
        )
    return pairs


def _convolution(layer):
    rows, columns, inputs, outputs = layer.kernel.shape
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        inputs, outputs = 1, inputs
    return {"weight": (outputs, inputs, rows, columns)}


def _dense(layer):
    shape = {"weight": tuple(reversed(layer.kernel.shape))}
    return shape if layer.bias is None else {**shape, "bias": tuple(layer.bias.shape)}


def _normalization(layer):
    # The weight stands in the file also where it is fixed at 1.
    return dict.fromkeys(("weight", "bias", "running_mean", "running_var"), tuple(layer.beta.shape))


_PARAMETERS = {
    BatchNormalization: _normalization,
    keras.layers.Conv2D: _convolution,
    keras.layers.Dense: _dense,
    keras.layers.DepthwiseConv2D: _convolution,
    PReLU: lambda layer: {"weight": (layer.alpha.shape[-1],)},
}


def _node(layer, values):
    weight, name, shape = values["weight"], layer.name, tuple(layer.output.shape[1:])
    match layer:
        case keras.layers.BatchNormalization():
            mean, variance = values["running_mean"], values["running_var"]
            fields = {"gamma": weight, "beta": values["bias"], "mean": mean, "variance": variance, "epsilon": _EPSILON}
            return Node("normalization", (), name, shape, fields)
        case keras.layers.PReLU():
            return Node("prelu", (), name, shape, {"slope": weight})
        case keras.layers.Dense():
            kernel = _channels_last(layer, weight.T)
            return Node("dense", (), name, shape, {"kernel": kernel, "bias": values.get("bias")})
    # A depthwise kernel's channels are PyTorch's outputs, and Keras' inputs: the reshape in `load` takes either.
    return Node("convolution", (), name, shape, {"kernel": weight.transpose(2, 3, 1, 0), "bias": None})


def _channels_last(layer, kernel):
    """The rows of a kernel over a flattened (C, H, W), brought to (H, W, C)."""
    flattened = layer.input._keras_history.operation
    height, width, channels = flattened.input.shape[1:]
    ordered = kernel.reshape(channels, height, width, -1).transpose(1, 2, 0, 3)
    return ordered.reshape(kernel.shape)


def _dotted(name):
    """PyTorch's name of one of our layers; `conv_sep` is the only part with an underscore of its own."""
    return name.replace("_", ".").replace("conv.sep", "conv_sep")


def _some(what, names, shown=5):
    """One complaint, or none."""
    if not names:
        return []
    more = f" and {len(names) - shown} more" if len(names) > shown else ""
    return [f"{what} {len(names)}: {', '.join(names[:shown])}{more}"]
