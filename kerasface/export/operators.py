"""The operators that an exported file is made of, and those that no device can be asked for."""

from collections import Counter

from kerasface.edge.runtime import file_format, read_model

__all__ = ["count_operators", "forbidden_operators"]

# Variables are weights that the converter left outside the file. Custom operators, Flex among them, have a colon.
_FORBIDDEN = ("VAR_HANDLE", "READ_VARIABLE", "ASSIGN_VARIABLE", "CALL_ONCE")


def count_operators(path):
    """Counts the operators of a TFLite or ONNX file.

    Args:
        path: the file.

    Returns:
        dict of operator name to count, by name. Custom TFLite operators read `CUSTOM:FlexErfinv`, ONNX operators
        outside the standard `com.microsoft:Gelu`.

    Raises:
        KerasfaceError: no such file, or neither format.

    Example:
        >>> count_operators("mobilefacenet.tflite")["PRELU"]
        33
    """
    content = read_model(path)
    names = _tflite_operators(content) if file_format(content, path) == "tflite" else _onnx_operators(content)
    return dict(sorted(Counter(names).items()))


def forbidden_operators(counts):
    """Returns those of `count_operators` that a plain runtime doesn't have or that keep weights outside the file.

    Args:
        counts: dict of operator name to count.

    Returns:
        tuple of names.

    Example:
        >>> forbidden_operators({"CONV_2D": 33, "CUSTOM:FlexErfinv": 1})
        ('CUSTOM:FlexErfinv',)
    """
    return tuple(name for name in counts if ":" in name or name in _FORBIDDEN)


def _tflite_operators(content):
    from ai_edge_litert import schema_py_generated as schema

    names = {code: name for name, code in vars(schema.BuiltinOperator).items() if not name.startswith("_")}
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    for graph in model.subgraphs:
        for operator in graph.operators:
            code = model.operatorCodes[operator.opcodeIndex]
            # Codes below 127 stand in the deprecated byte too, and in files of old converters there alone.
            name = names[max(code.builtinCode, code.deprecatedBuiltinCode)]
            yield f"{name}:{code.customCode.decode()}" if name == "CUSTOM" else name


def _onnx_operators(content):
    import onnx

    for node in onnx.load_from_string(content).graph.node:
        yield node.op_type if node.domain in ("", "ai.onnx") else f"{node.domain}:{node.op_type}"
