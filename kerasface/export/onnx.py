"""ONNX files: what ONNX Runtime runs on servers and in browsers."""

import contextlib
import os
import tempfile
from pathlib import Path

from kerasface.errors import KerasfaceError
from kerasface.export.handover import Calibration, hand_over, prepare
from kerasface.export.metadata import onnx_with_spec
from kerasface.export.tflite import converted

__all__ = ["LAYOUTS", "OPSET", "to_onnx"]

LAYOUTS = ("nhwc", "nchw")

# tf2onnx writes up to 18; 17 is what browsers and older runtimes read.
OPSET = 17


def to_onnx(
    model,
    path,
    *,
    spec,
    input_dtype="uint8",
    layout="nhwc",
    web=False,
    images=None,
    calibration: Calibration | None = None,
):
    """Writes a model as a float32 ONNX file and its sidecar, after proving that the file answers as the model does.

    The graph takes `image`, (batch, H, W, 3) RGB 0…255, any batch, and gives `embedding`, float32 (batch, D) of unit
    length. Opset 17.

    Args:
        model: `FaceModel`, or a bare backbone that `spec` describes.
        path: the file to write; `PATH.json` is written beside it.
        spec: `EmbedderSpec` of this model; it goes into the file's `metadata_props` and the sidecar.
        input_dtype: "uint8" or "float32", the type of the pixels.
        layout: "nhwc"; "nchw" takes (batch, 3, H, W) instead, as PyTorch's files do.
        web: for browsers: batch norms folded and PReLU one operator, which ONNX Runtime Web runs faster and ONNX
            Runtime slower than the usual graph. Its batch is 1, its layout "nhwc".
        images: uint8 (N, H, W, 3) RGB, at least 64, to prove the file on; by default `natural_images`.
        calibration: `Calibration`: people on whom thresholds are chosen with the finished file.

    Returns:
        `ExportReport`.

    Raises:
        KerasfaceError: the ONNX extra is not installed, a layer can't be expressed, or the file disagrees with the
            model; nothing is written then.
        ValueError: an unknown type or layout, one that the web's graph doesn't have, or a spec that does not fit the
            model.

    Example:
        >>> to_onnx(model, "mobilefacenet.onnx", spec=spec).parity.max_abs
        4.2e-07
    """
    if layout not in LAYOUTS:
        raise ValueError(f"layout must be one of {LAYOUTS}. Received: layout={layout!r}")
    if web and layout != "nhwc":
        raise ValueError(f"a graph for the web is nhwc. Received: layout={layout!r}")
    try:
        import onnx
        import onnxruntime  # noqa: F401  (the proof needs it; better said now than after the conversion)
        import tf2onnx
    except ModuleNotFoundError as error:
        raise KerasfaceError(
            f"ONNX export needs more packages: pip install 'kerasface[onnx]'. Received: no module {error.name}"
        ) from error
    embedder = prepare(model, path, spec, input_dtype=input_dtype)
    proto = _convert_for_web(embedder, tf2onnx) if web else _convert(embedder, tf2onnx, layout)
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise KerasfaceError(
            f"ONNX opset {OPSET} has no operator for a layer of the backbone: replace it by one built of convolutions, "
            f"dense layers and elementwise arithmetic. Received: {str(error).splitlines()[0]}"
        ) from error
    content = proto.SerializeToString()
    return hand_over(
        lambda staged, told: staged.write_bytes(onnx_with_spec(content, told)),
        path,
        embedder=embedder,
        spec=spec,
        format="onnx",
        precision="fp32",
        images=images,
        calibration=calibration,
    )


def _convert_for_web(embedder, tf2onnx):
    with tempfile.TemporaryDirectory(prefix="kerasface-") as folder:
        file = Path(folder) / "embedder.tflite"
        file.write_bytes(converted(embedder, "fp32"))
        proto, _ = tf2onnx.convert.from_tflite(os.fspath(file), opset=OPSET)
    graph = proto.graph
    names = {graph.input[0].name: "image", graph.output[0].name: "embedding"}
    for value in (*graph.input, *graph.output):
        value.name = names[value.name]
    for node in graph.node:
        for ends in (node.input, node.output):
            ends[:] = [names.get(end, end) for end in ends]
    return proto


def _convert(embedder, tf2onnx, layout):
    import tensorflow as tf

    signature = [tf.TensorSpec((None, *embedder.input_shape[1:]), embedder.input.dtype, name="image")]
    # from_function, because the dict names the output; tf2onnx's from_keras takes Keras 2's names.
    function = tf.function(lambda image: {"embedding": embedder(image, training=False)}, input_signature=signature)
    with _inlined_functions(tf):
        proto, _ = tf2onnx.convert.from_function(
            function,
            input_signature=signature,
            opset=OPSET,
            inputs_as_nchw=["image"] if layout == "nchw" else None,
        )
    graph = proto.graph
    batch = {value.type.tensor_type.shape.dim[0].dim_param for value in (*graph.input, *graph.output)}
    for value in (*graph.input, *graph.output, *graph.value_info):
        for dimension in value.type.tensor_type.shape.dim:
            if dimension.dim_param in batch:  # tf2onnx calls it unk__17
                dimension.dim_param = "batch"
    return proto


@contextlib.contextmanager
def _inlined_functions(tf):
    # Keras compiles a grouped convolution as a function of its own, a call that tf2onnx can't look into.
    usual = tf.config.functions_run_eagerly()
    tf.config.run_functions_eagerly(True)
    try:
        yield
    finally:
        tf.config.run_functions_eagerly(usual)
