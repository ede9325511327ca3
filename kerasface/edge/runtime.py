"""Thin sessions over LiteRT and ONNX Runtime: one array in, arrays out, chosen by what the file holds."""

import importlib
from pathlib import Path

import numpy as np

from kerasface.edge.flatbuffer import tflite_metadata
from kerasface.errors import KerasfaceError

__all__ = [
    "KERAS_BEGIN",
    "OnnxSession",
    "TFLiteSession",
    "file_format",
    "open_session",
    "read_model",
    "tflite_interpreter",
]

# Keras files are zip archives.
KERAS_BEGIN = b"PK\x03\x04"
# A FlatBuffers file carries its identifier at bytes 4…8.
_TFLITE_IDENTIFIER = b"TFL3"
# ONNX has no magic number: a ModelProto begins with field 1, ir_version, as a varint.
_ONNX_FIRST_BYTE = b"\x08"
_ONNX_DTYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32, "tensor(float16)": np.float16}


def read_model(path):
    """Returns the bytes of a model file.

    Raises:
        KerasfaceError: no such file, a folder, an empty file, or one that can't be read.
    """
    path = Path(path)
    if path.is_dir():
        raise KerasfaceError(f"expected an exported model file (.tflite or .onnx). Received: the folder {path}")
    if not path.is_file():
        raise KerasfaceError(
            f"no model file {path}. Is the path right, seen from {Path.cwd()}? `kerasface export` writes .tflite and "
            ".onnx files, `kerasface zoo get NAME --out FILE` fetches them."
        )
    try:
        content = path.read_bytes()
    except OSError as error:
        raise KerasfaceError(f"can't read the model file {path}: {error.strerror}.") from error
    if not content:
        raise KerasfaceError(f"the model file {path} is empty (0 bytes): export or copy it again.")
    return content


def file_format(content, path):
    """Tells a model file's format by its content, whatever its name.

    Args:
        content: the file's bytes.
        path: for the message.

    Returns:
        "tflite" or "onnx".

    Raises:
        KerasfaceError: it is neither.
    """
    if content[4:8] == _TFLITE_IDENTIFIER:
        return "tflite"
    if content[:1] == _ONNX_FIRST_BYTE:
        return "onnx"
    hint = ""
    if content.startswith(KERAS_BEGIN):
        hint = " It looks like a .keras archive: export it first with `kerasface export MODEL --to tflite --out FILE`."
    raise KerasfaceError(f"{path} is neither a TFLite nor an ONNX model. Received: first bytes {content[:8]!r}.{hint}")


def open_session(content, path, *, threads=None):
    """Opens a model of one input for running.

    Args:
        content: the bytes of a TFLite or ONNX file, from `read_model`; they decide which it is, not the name.
        path: of the file, for messages.
        threads: threads per run; None leaves it to the runtime (LiteRT takes one, ONNX Runtime one per core).

    Returns:
        a `TFLiteSession` or an `OnnxSession`.

    Raises:
        KerasfaceError: neither format, damaged, several inputs, or the runtime isn't installed.
        ValueError: threads < 1.

    Example:
        >>> open_session(read_model("embedder.tflite"), "embedder.tflite").run(image)[0].shape
        (1, 128)
    """
    if threads is not None and (not isinstance(threads, int) or threads < 1):
        raise ValueError(f"threads must be a whole number >= 1, or None. Received: threads={threads!r}")
    session = {"tflite": TFLiteSession, "onnx": OnnxSession}[file_format(content, path)]
    return session(content, path, threads)


class TFLiteSession:
    """A TFLite model of one input in LiteRT.

    Args:
        content: the file's bytes.
        path: for messages.
        threads: as in `open_session`.

    Attributes:
        input_name, output_names: from the signature where there is one, else the tensors' own.
        input_shape: tuple; None where a dimension is free.
        input_dtype: NumPy dtype.
        output_shapes: list of tuples.
        metadata: dict of name to bytes, as the file carries it.
    """

    def __init__(self, content, path, threads):
        try:
            self._interpreter = tflite_interpreter()(model_content=content, num_threads=threads)
            self._interpreter.allocate_tensors()
            self.metadata = tflite_metadata(content)
        except (ValueError, RuntimeError) as error:
            raise KerasfaceError(_damaged(path, len(content), "TFLite", error)) from error
        inputs, self._outputs = self._interpreter.get_input_details(), self._interpreter.get_output_details()
        self._input = _only_input(inputs, path)
        self.input_shape = _shape(self._input["shape_signature"])
        self.input_dtype = np.dtype(self._input["dtype"])
        self.input_name = self._input["name"]
        self.output_names = [details["name"] for details in self._outputs]
        self.output_shapes = [_shape(details["shape_signature"]) for details in self._outputs]
        signatures = list(self._interpreter.get_signature_list().values())
        if len(signatures) == 1 and len(signatures[0]["outputs"]) == 1:
            self.input_name, self.output_names = signatures[0]["inputs"][0], signatures[0]["outputs"]

    def run(self, array):
        """Runs the model once.

        Args:
            array: of `input_shape` and `input_dtype`.

        Returns:
            list of arrays, one an output, in the order of `output_names`.
        """
        if tuple(array.shape) != tuple(self._input["shape"]):
            self._interpreter.resize_tensor_input(self._input["index"], array.shape, strict=True)
            self._interpreter.allocate_tensors()
            self._input = self._interpreter.get_input_details()[0]
        self._interpreter.set_tensor(self._input["index"], array)
        self._interpreter.invoke()
        return [self._interpreter.get_tensor(details["index"]) for details in self._outputs]

    def fed(self, images):
        """Brings pictures into the form of the model's input.

        Args:
            images: uint8 (N, H, W, 3) RGB.

        Returns:
            array of `input_dtype`, values as they were; (N, 3, H, W) where that is what the model takes.
        """
        return _fed(images, self)


class OnnxSession:
    """An ONNX model of one input in ONNX Runtime; arguments, attributes and `run` as those of `TFLiteSession`."""

    def __init__(self, content, path, threads):
        try:
            onnxruntime = importlib.import_module("onnxruntime")
        except ImportError as error:
            raise KerasfaceError(f"{path} is an ONNX model; to run it: pip install onnxruntime") from error
        options = onnxruntime.SessionOptions()
        options.log_severity_level = 3
        if threads is not None:
            options.intra_op_num_threads = threads
        try:
            self._session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
        # ONNX Runtime's exceptions share no public base class.
        except Exception as error:
            raise KerasfaceError(_damaged(path, len(content), "ONNX", error)) from error
        entries = self._session.get_modelmeta().custom_metadata_map
        self.metadata = {name: text.encode() for name, text in entries.items()}
        details, outputs = _only_input(self._session.get_inputs(), path), self._session.get_outputs()
        self.input_name, self.input_shape = details.name, _shape(details.shape)
        if details.type not in _ONNX_DTYPES:
            raise KerasfaceError(f"{path} expects {', '.join(_ONNX_DTYPES)} as input. Received: {details.type}")
        self.input_dtype = np.dtype(_ONNX_DTYPES[details.type])
        self.output_names = [output.name for output in outputs]
        self.output_shapes = [_shape(output.shape) for output in outputs]

    def run(self, array):
        """Runs the model once; see `TFLiteSession.run`."""
        return self._session.run(None, {self.input_name: array})

    def fed(self, images):
        """Brings pictures into the form of the model's input; see `TFLiteSession.fed`."""
        return _fed(images, self)


def tflite_interpreter():
    """Returns the interpreter's class: ai-edge-litert's, or tflite-runtime's where that has no wheel (old boards).

    Raises:
        KerasfaceError: neither is installed, or the one that is can't be loaded.
    """
    broken = []
    for module in ("ai_edge_litert.interpreter", "tflite_runtime.interpreter"):
        try:
            return importlib.import_module(module).Interpreter
        except ImportError as error:
            if not (isinstance(error, ModuleNotFoundError) and module.startswith(error.name or ".")):
                broken.append(f"{module.split('.')[0]} can't be loaded: {error}")
    if broken:
        raise KerasfaceError(f"{'; '.join(broken)}. Install it anew, or one that was built for this system.")
    raise KerasfaceError(
        "no TFLite runtime is installed: pip install ai-edge-litert (or tflite-runtime 'numpy<2' where it has no wheel)"
    )


def _fed(images, session):
    if len(session.input_shape) == 4 and session.input_shape[1] == 3:  # no picture has three rows
        images = images.transpose(0, 3, 1, 2)
    return np.ascontiguousarray(images, session.input_dtype)


def _only_input(inputs, path):
    if len(inputs) != 1:
        raise KerasfaceError(f"{path} should have one input, a picture. Received: {len(inputs)} inputs")
    return inputs[0]


def _shape(dimensions):
    return tuple(int(d) if isinstance(d, int | np.integer) and d >= 0 else None for d in dimensions)


def _damaged(path, size, kind, error):
    reason = str(error).strip().splitlines()[0][:200].rstrip(".")
    return f"{path} ({size} bytes) doesn't open as a {kind} model: {reason}. Is it whole? Export or copy it again."
