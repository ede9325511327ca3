"""The precision of a model file, told by the numbers that it holds."""

import io
import zipfile

from kerasface.edge.runtime import KERAS_BEGIN, file_format, read_model
from kerasface.errors import KerasfaceError

__all__ = ["stored_precision"]


def stored_precision(path):
    """Tells the precision of a model file by its content, in the words of `Threshold.precision`.

    Activations of 8 bits make it "int8-full", else weights of 8 bits "int8", else of 16 bits "fp16", else it is "fp32".

    Args:
        path: `.keras`, TFLite or ONNX file, whole (opening it for running tells); its name doesn't matter.

    Returns:
        "fp32", "fp16", "int8" or "int8-full".

    Raises:
        KerasfaceError: no such file, none of these formats, or an ONNX file where onnx isn't installed.

    Example:
        >>> stored_precision("mobilefacenet.int8.tflite")
        'int8'
    """
    content = read_model(path)
    if content.startswith(KERAS_BEGIN):
        weights, activations = _keras_types(content), set()
    elif file_format(content, path) == "tflite":
        weights, activations = _tflite_types(content)
    else:
        weights, activations = _onnx_types(content, path)
    if "int8" in activations:
        return "int8-full"
    if "int8" in weights:
        return "int8"
    return "fp16" if "float16" in weights else "fp32"


def _keras_types(content):
    import h5py

    kinds = set()
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            if name.endswith(".h5"):
                with h5py.File(io.BytesIO(archive.read(name))) as file:
                    file.visititems(lambda _, entry: kinds.add(str(getattr(entry, "dtype", "group"))))
    return kinds


def _tflite_types(content):
    from ai_edge_litert import schema_py_generated as schema

    model = schema.ModelT.InitFromObj(schema.Model.GetRootAsModel(content, 0))
    names = {schema.TensorType.INT8: "int8", schema.TensorType.FLOAT16: "float16"}
    weights, activations = set(), set()
    for graph in model.subgraphs:
        for tensor in graph.tensors:
            buffer = model.buffers[tensor.buffer]
            # The quantizer puts weights behind the tables: the buffer then has a size and no data of its own.
            is_constant = buffer.data is not None or bool(buffer.size)
            (weights if is_constant else activations).add(names.get(tensor.type))
    return weights, activations


def _onnx_types(content, path):
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise KerasfaceError(
            f"{path} is an ONNX file, and to read its precision takes more packages: pip install 'kerasface[onnx]'. "
            f"Received: no module {error.name}"
        ) from error
    graph = onnx.load_from_string(content).graph
    # ONNX Runtime's quantizer writes weights in either of the 8-bit types.
    names = {onnx.TensorProto.INT8: "int8", onnx.TensorProto.UINT8: "int8", onnx.TensorProto.FLOAT16: "float16"}
    weights = {names.get(constant.data_type) for constant in graph.initializer}
    # Types of activations needn't stand in the file, but only this operator makes one of 8 bits by a fixed scale.
    is_integer = any(node.op_type == "QuantizeLinear" for node in graph.node)
    return weights, {"int8"} if is_integer else set()
