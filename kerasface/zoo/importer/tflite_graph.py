"""Reads a float32 TFLite embedder into nodes."""

import struct

import numpy as np

from kerasface.edge.runtime import open_session
from kerasface.errors import KerasfaceError
from kerasface.zoo.importer.nodes import Node
from kerasface.zoo.importer.steps import by_channel, convolution, padded, same_padding

__all__ = ["read_tflite"]

_ELEMENTWISE = {
    "ABS": "abs",
    "ADD": "add",
    "CAST": "copy",
    "DIV": "divide",
    "LEAKY_RELU": "leaky_relu",
    "MAXIMUM": "maximum",
    "MINIMUM": "minimum",
    "MUL": "multiply",
    "NEG": "negative",
    "PRELU": "leaky_relu",
    "RELU": "relu",
    "RSQRT": "reciprocal_root",
    "SQRT": "root",
    "SQUARE": "square",
    "SUB": "subtract",
    "SUM": "sum",
}
_FLATTENING = ("RESHAPE", "SQUEEZE")
_PADDING_SAME, _NO_ACTIVATION, _RELU = 0, 0, 1


def read_tflite(content, path):
    """Reads a TFLite file's graph and weights.

    Args:
        content: the file's bytes.
        path: for messages.

    Returns:
        the `Node` of its only output.

    Raises:
        KerasfaceError: the file is damaged, its weights are not float32, or it does not map one picture to one
            embedding.
    """
    from ai_edge_litert import schema_py_generated as schema

    open_session(content, path)  # says what is wrong with a damaged file, which the schema's reader trusts
    try:
        model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
        reader = _Reader(schema, model, path)
        for operator in model.subgraphs[0].operators:
            reader.add(operator)
        return reader.output()
    except (IndexError, KeyError, ValueError, TypeError, AttributeError, struct.error) as error:
        raise KerasfaceError(f"{path} ({len(content)} bytes) is no whole TFLite file: {error}") from error


class _Reader:
    """Nodes and constants by the number of the tensor that holds them."""

    def __init__(self, schema, model, path):
        self.schema, self.model, self.path = schema, model, path
        self.graph = model.subgraphs[0]
        self.names = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
        self.types = {code: name for name, code in vars(schema.TensorType).items() if not name.startswith("_")}
        self.nodes = {}
        (number,) = self.graph.inputs
        shape = tuple(int(size) for size in self.graph.tensors[number].shape)
        if len(shape) != 4 or shape[3] != 3:
            raise KerasfaceError(f"the input of {path} must be (N, H, W, 3). Received: {shape}")
        self.nodes[number] = Node("input", (), self._name(number), shape[1:])

    def output(self):
        outputs = [int(number) for number in self.graph.outputs]
        if len(outputs) != 1 or outputs[0] not in self.nodes:
            names = [self._name(number) for number in outputs]
            raise KerasfaceError(f"{self.path} must have one output, the embedding. Received: {names}")
        return self.nodes[outputs[0]]

    def add(self, operator):
        code = self.model.operatorCodes[operator.opcodeIndex]
        # Codes below 127 stand in the deprecated byte too, and in files of old converters there alone.
        kind = self.names[max(code.builtinCode, code.deprecatedBuiltinCode)]
        numbers = [int(number) for number in operator.inputs]
        values = [self._value(number) for number in numbers]
        nodes = [value for value in values if isinstance(value, Node)]
        constants = [
            self._name(n) for n, v in zip(numbers, values, strict=True) if isinstance(v, np.ndarray) and v.ndim
        ]
        name = self._name(operator.outputs[0])
        results = self._results(kind, operator, name, constants[0] if constants else None, values, nodes)
        activation = getattr(operator.builtinOptions, "fusedActivationFunction", _NO_ACTIVATION)
        for number, result in zip(operator.outputs, results, strict=True):
            self.nodes[int(number)] = result if activation == _NO_ACTIVATION else _activated(result, activation)

    def _results(self, kind, operator, name, weight, values, nodes):
        if not nodes:
            raise KerasfaceError(
                f"{self.path} unpacks its weights at run time ({kind} {name!r}): import the float32 file of this model."
            )
        source = nodes[0]
        if kind in _ELEMENTWISE:
            operands = self._operands(kind, operator, values, nodes)
            if operands is None:
                return [_other(kind, name, nodes)]
            fields = {"operator": _ELEMENTWISE[kind], "operands": operands, "weight": weight}
            return [Node("elementwise", tuple(nodes), name, source.shape, fields)]
        if kind in ("SPLIT", "CONCATENATION"):
            return self._channels(kind, operator, values, nodes)
        read = self._flatten if kind in _FLATTENING else getattr(self, f"_{kind.lower()}", None)
        node = read and values[0] is source and read(weight or name, source, values, operator)
        return [node or _other(kind, name, nodes)]

    def _operands(self, kind, operator, values, nodes):
        if kind in ("CAST", "SUM"):
            return [0]
        operands = []
        for value in values:
            if isinstance(value, Node):
                operands.append(next(index for index, node in enumerate(nodes) if node is value))
                continue
            constant = by_channel(value, nodes[0])
            if constant is None:
                return None
            operands.append(constant)
        if kind == "LEAKY_RELU":
            operands.append(np.float64(operator.builtinOptions.alpha))
        return operands

    def _channels(self, kind, operator, values, nodes):
        """RGB becomes BGR by a split into channels that are joined the other way round."""
        source = nodes[0]
        if kind == "SPLIT" and source.shape[-1] == 3 == len(operator.outputs) and int(values[0]) in (3, -1):
            shape = (*source.shape[:2], 1)
            return [
                Node("channel", (source,), self._name(number), shape, {"index": index})
                for index, number in enumerate(operator.outputs)
            ]
        if kind == "CONCATENATION" and [node.values.get("index") for node in nodes] == [2, 1, 0]:
            name = self._name(operator.outputs[0])
            return [Node("reverse_channels", (source.source,), name, source.source.shape)]
        return [_other(kind, self._name(number), nodes) for number in operator.outputs]

    def _conv_2d(self, name, source, values, operator):
        options, kernel = operator.builtinOptions, values[1].transpose(1, 2, 3, 0)
        groups = source.shape[-1] // kernel.shape[2]
        return _convolution(name, source, kernel, _bias(values), options, groups)

    def _depthwise_conv_2d(self, name, source, values, operator):
        options, kernel = operator.builtinOptions, values[1].transpose(1, 2, 0, 3)
        return _convolution(name, source, kernel, _bias(values), options, source.shape[-1])

    def _fully_connected(self, name, source, values, operator):
        kernel = values[1].T
        if len(source.shape) == 3:
            source = Node("flatten", (source,), name, (int(np.prod(source.shape)),))
        return Node("dense", (source,), name, kernel.shape[1:], {"kernel": kernel, "bias": _bias(values)})

    def _pad(self, name, source, values, operator):
        pads = np.asarray(values[1])
        if pads.shape != (4, 2) or pads[0].any() or pads[3].any():
            return None
        return padded(name, source, tuple(int(p) for p in (*pads[1], *pads[2])))

    def _flatten(self, name, source, values, operator):
        return Node("flatten", (source,), name, (int(np.prod(source.shape)),))

    def _l2_normalization(self, name, source, values, operator):
        return Node("unit_length", (source,), name, source.shape) if len(source.shape) == 1 else None

    def _name(self, number):
        return self.graph.tensors[number].name.decode("utf-8", "replace")

    def _value(self, number):
        """A node, the values of a constant, or None for an optional input that is left out."""
        if number < 0:
            return None
        if number in self.nodes:
            return self.nodes[number]
        tensor = self.graph.tensors[number]
        kind = self.types[tensor.type]
        if kind not in ("FLOAT32", "INT32"):
            raise KerasfaceError(
                f"{self.path} holds the tensor {self._name(number)!r} as {kind}: import the float32 file of this model."
            )
        data = self.model.buffers[tensor.buffer].data
        if data is None:
            raise KerasfaceError(f"{self.path} holds no values for the tensor {self._name(number)!r}: is it whole?")
        shape = () if tensor.shape is None else tuple(int(size) for size in tensor.shape)
        return np.frombuffer(bytes(data), "<f4" if kind == "FLOAT32" else "<i4").reshape(shape)


def _convolution(name, source, kernel, bias, options, groups):
    if options.dilationHFactor != 1 or options.dilationWFactor != 1:
        return None
    strides = (options.strideH, options.strideW)
    padding = (0, 0, 0, 0)
    if options.padding == _PADDING_SAME:
        padding = same_padding(source.shape, kernel.shape, strides)
    return convolution(name, source, kernel, bias, strides, padding, groups)


def _activated(node, activation):
    """An activation that stands as an option of the operator before it."""
    if activation == _RELU:
        return Node("elementwise", (node,), node.name, node.shape, {"operator": "relu", "operands": [0]})
    return Node("other", (node,), node.name, node.shape, {"operator": f"activation {activation}"})


def _bias(values):
    return values[2] if len(values) > 2 else None


def _other(kind, name, nodes):
    return Node("other", tuple(nodes), name, nodes[0].shape, {"operator": kind})
