"""Reads an ONNX embedder into nodes."""

import numpy as np

from kerasface.errors import KerasfaceError
from kerasface.zoo.importer.nodes import Node
from kerasface.zoo.importer.steps import by_channel, convolution, padded, same_padding

__all__ = ["read_onnx"]

_ELEMENTWISE = {
    "Abs": "abs",
    "Add": "add",
    "Cast": "copy",
    "Clip": "clip",
    "Div": "divide",
    "Dropout": "copy",
    "Expand": "copy",
    "Identity": "copy",
    "LeakyRelu": "leaky_relu",
    "Max": "maximum",
    "Min": "minimum",
    "Mul": "multiply",
    "Neg": "negative",
    "Pow": "power",
    "PRelu": "leaky_relu",
    "Reciprocal": "reciprocal",
    "ReduceL2": "length",
    "ReduceSum": "sum",
    "ReduceSumSquare": "sum_of_squares",
    "Relu": "relu",
    "Sqrt": "root",
    "Sub": "subtract",
}
_COPIES = tuple(kind for kind, operator in _ELEMENTWISE.items() if operator == "copy")
_FLATTENING = ("Flatten", "Reshape", "Squeeze")
_TO_FIRST, _TO_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


def read_onnx(content, path):
    """Reads an ONNX file's graph and weights.

    Args:
        content: the file's bytes.
        path: for messages.

    Returns:
        the `Node` of its only output.

    Raises:
        KerasfaceError: the onnx package is missing, the file is damaged or keeps weights elsewhere, or it does not map
            one picture to one embedding.
    """
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise KerasfaceError("reading ONNX files needs more packages: pip install 'kerasface[onnx]'") from error
    try:
        model = onnx.load_from_string(content)
    except Exception as error:  # protobuf's errors share no public class
        raise KerasfaceError(f"{path} ({len(content)} bytes) is no whole ONNX file: {error}") from error
    try:
        reader = _Reader(onnx, model, path)
        for operator in model.graph.node:
            reader.add(operator)
        return reader.output()
    except (IndexError, KeyError, ValueError, TypeError, AttributeError) as error:
        raise KerasfaceError(
            f"{path} ({len(content)} bytes) is no whole ONNX file: {type(error).__name__}: {error}. Copy it again."
        ) from error


class _Reader:
    """Nodes and constants by the name of the tensor that holds them."""

    def __init__(self, onnx, model, path):
        self.onnx, self.model, self.path = onnx, model, path
        self.known = {}
        for tensor in model.graph.initializer:
            if tensor.data_location == onnx.TensorProto.EXTERNAL:
                raise KerasfaceError(
                    f"{path} keeps the tensor {tensor.name!r} in another file: save the model as one file first."
                )
            self.known[tensor.name] = onnx.numpy_helper.to_array(tensor)
        inputs = [value for value in model.graph.input if value.name not in self.known]
        if len(inputs) != 1:
            raise KerasfaceError(f"{path} must have one input, a picture. Received: {[value.name for value in inputs]}")
        sizes = [dimension.dim_value for dimension in inputs[0].type.tensor_type.shape.dim]
        if len(sizes) != 4 or 3 not in (sizes[1], sizes[3]) or 0 in sizes[1:]:
            raise KerasfaceError(
                f"the input {inputs[0].name!r} of {path} must be (N, 3, H, W) or (N, H, W, 3) of fixed size. "
                f"Received: {tuple(sizes)}"
            )
        first = sizes[1] == 3
        shape = (*sizes[2:], 3) if first else tuple(sizes[1:])
        self.known[inputs[0].name] = Node("input", (), inputs[0].name, shape, channels_first=first)

    def output(self):
        outputs = [value.name for value in self.model.graph.output]
        if len(outputs) != 1 or not isinstance(self.known.get(outputs[0]), Node):
            raise KerasfaceError(f"{self.path} must have one output, the embedding. Received: {outputs}")
        return self.known[outputs[0]]

    def add(self, operator):
        try:
            values = [self.known[name] if name else None for name in operator.input]
        except KeyError as error:
            raise KerasfaceError(f"{self.path} uses the tensor {error} before it exists: is it whole?") from error
        nodes = [value for value in values if isinstance(value, Node)]
        if not nodes:
            self._fold(operator, values)
            return
        attributes = {a.name: self.onnx.helper.get_attribute_value(a) for a in operator.attribute}
        results = self._results(operator, values, nodes, attributes)
        for name, result in zip(operator.output, results, strict=False):
            self.known[name] = result

    def _fold(self, operator, values):
        from onnx.reference import ReferenceEvaluator

        inputs = {name: value for name, value in zip(operator.input, values, strict=True) if name}
        undeclared = self.onnx.helper.make_empty_tensor_value_info
        ends = [[undeclared(name) for name in names if name] for names in (inputs, operator.output)]
        graph = self.onnx.helper.make_graph([operator], "constant", *ends)
        try:
            model = self.onnx.helper.make_model(graph, opset_imports=self.model.opset_import)
            results = ReferenceEvaluator(model).run(None, inputs)
        except Exception as error:  # whatever NumPy stumbles over
            raise KerasfaceError(
                f"the constant operator {operator.op_type} {operator.output[0]!r} of {self.path} can't be computed: "
                f"{error}"
            ) from error
        self.known.update(zip((name for name in operator.output if name), results, strict=True))

    def _results(self, operator, values, nodes, attributes):
        kind, name = operator.op_type, operator.name or operator.output[0]
        source = nodes[0]
        constants = [n for n, v in zip(operator.input, values, strict=True) if isinstance(v, np.ndarray)]
        weight = constants[0] if constants else None
        if kind in _ELEMENTWISE:
            operands = self._operands(operator, values, nodes, attributes)
            if operands is None:
                return [_other(operator, nodes)]
            fields = {"operator": _ELEMENTWISE[kind], "operands": operands, "weight": weight}
            # The other nodes of a copy say only which shape it is to have.
            inputs = (source,) if kind in _COPIES else tuple(nodes)
            return [Node("elementwise", inputs, name, source.shape, fields, channels_first=source.channels_first)]
        if kind in ("Split", "Concat", "Gather"):
            return self._channels(operator, values, nodes, attributes)
        read = getattr(self, f"_{kind.lower()}", None)
        if kind in _FLATTENING:
            read = self._flatten
        node = read and values[0] is source and read(weight or name, source, values, attributes)
        return [node or _other(operator, nodes)]

    def _operands(self, operator, values, nodes, attributes):
        """Indices of nodes, and constants by channel; None where a constant varies within a picture."""
        kind = operator.op_type
        if kind in _COPIES or kind.startswith("Reduce"):
            return [0]
        if kind == "Clip":
            bounds = [*values[1:], None, None][:2]
            low, high = (attributes.get(end, bound) for end, bound in zip(("min", "max"), bounds, strict=True))
            return [0, np.float64(-np.inf if low is None else low), np.float64(np.inf if high is None else high)]
        operands = []
        for value in values:
            if value is None:
                continue
            if isinstance(value, Node):
                operands.append(next(index for index, node in enumerate(nodes) if node is value))
                continue
            constant = by_channel(value, nodes[0])
            if constant is None:
                return None
            operands.append(constant)
        if kind == "LeakyRelu":
            operands.append(np.float64(attributes.get("alpha", 0.01)))
        return operands

    def _channels(self, operator, values, nodes, attributes):
        """The three ways to turn RGB into BGR: a gather, or a split and its parts joined the other way round."""
        kind, source = operator.op_type, nodes[0]
        last = {"channels_first": source.channels_first}
        is_channel_axis = attributes.get("axis", 0) in ((1, -3) if source.channels_first else (3, -1))
        three = is_channel_axis and source.shape[-1] == 3
        if kind == "Split" and three and len(operator.output) == 3:
            names = list(operator.output)
            return [
                Node("channel", (source,), n, (*source.shape[:2], 1), {"index": i}, **last) for i, n in enumerate(names)
            ]
        reverses = kind == "Gather" and three and np.array_equal(values[1], [2, 1, 0])
        if kind == "Concat" and is_channel_axis and [n.values.get("index") for n in nodes] == [2, 1, 0]:
            reverses, source = True, source.source
        if reverses:
            return [Node("reverse_channels", (source,), operator.output[0], source.shape, **last)]
        return [_other(operator, nodes)]

    def _conv(self, name, source, values, attributes):
        kernel = values[1].transpose(2, 3, 1, 0)
        if not source.channels_first or any(d != 1 for d in attributes.get("dilations", [])):
            return None
        strides = tuple(attributes.get("strides", (1, 1)))
        pads = attributes.get("pads", [0, 0, 0, 0])
        mode = attributes.get("auto_pad", b"NOTSET").decode()
        padding = (pads[0], pads[2], pads[1], pads[3])
        if mode in ("SAME_UPPER", "SAME_LOWER"):
            padding = same_padding(source.shape, kernel.shape, strides, upper=mode == "SAME_UPPER")
        bias = values[2] if len(values) > 2 else None
        return convolution(
            name, source, kernel, bias, strides, padding, attributes.get("group", 1), channels_first=True
        )

    def _batchnormalization(self, name, source, values, attributes):
        fields = dict(zip(("gamma", "beta", "mean", "variance"), values[1:5], strict=True))
        fields["epsilon"] = attributes.get("epsilon", 1e-5)
        return Node("normalization", (source,), name, source.shape, fields, channels_first=source.channels_first)

    def _gemm(self, name, source, values, attributes):
        kernel = values[1].T if attributes.get("transB", 0) else values[1]
        if len(source.shape) != 1 or attributes.get("transA", 0) or attributes.get("beta", 1.0) != 1.0:
            return None
        fields = {"kernel": kernel * attributes.get("alpha", 1.0), "bias": values[2] if len(values) > 2 else None}
        return Node("dense", (source,), name, kernel.shape[1:], fields)

    def _matmul(self, name, source, values, attributes):
        if len(source.shape) != 1:
            return None
        return Node("dense", (source,), name, values[1].shape[1:], {"kernel": values[1], "bias": None})

    def _pad(self, name, source, values, attributes):
        pads = list(attributes.get("pads", values[1] if len(values) > 1 else []))
        mode = attributes.get("mode", b"constant")
        amount = values[2] if len(values) > 2 and values[2] is not None else attributes.get("value", 0.0)
        if len(pads) != 8 or mode != b"constant" or np.any(amount):
            return None
        rows, columns, channels = (2, 3, 1) if source.channels_first else (1, 2, 3)
        if any(pads[axis + half] for axis in (0, channels) for half in (0, 4)):
            return None
        padding = (pads[rows], pads[rows + 4], pads[columns], pads[columns + 4])
        return padded(name, source, tuple(int(p) for p in padding))

    def _transpose(self, name, source, values, attributes):
        order = list(attributes.get("perm", []))
        if order not in (_TO_FIRST, _TO_LAST) or source.channels_first == (order == _TO_FIRST):
            return None
        return Node(
            "elementwise",
            (source,),
            name,
            source.shape,
            {"operator": "copy", "operands": [0]},
            channels_first=order == _TO_FIRST,
        )

    def _flatten(self, name, source, values, attributes):
        # Whether the shape is computed or fixed: an embedder flattens once, and the proof would find another meaning.
        return Node("flatten", (source,), name, (int(np.prod(source.shape)),))

    def _lpnormalization(self, name, source, values, attributes):
        is_unit = len(source.shape) == 1 and attributes.get("p", 2) == 2
        return Node("unit_length", (source,), name, source.shape) if is_unit else None


def _other(operator, nodes):
    name = operator.name or operator.output[0]
    # As if it kept shape and layout: what comes after can then be read, and the one that is odd is named.
    fields = {"operator": operator.op_type}
    return Node("other", tuple(nodes), name, nodes[0].shape, fields, channels_first=nodes[0].channels_first)
