"""ONNX files: what ONNX Runtime runs on servers and in browsers."""

import contextlib

from kerasface.errors import KerasfaceError
from kerasface.export.handover import hand_over, prepare
from kerasface.export.metadata import onnx_with_spec

__all__ = ["OPSET", "to_onnx"]

# tf2onnx writes up to 18; 17 is what browsers and older runtimes read.
OPSET = 17


def to_onnx(model, path, *, spec, images=None):
    """Writes a model as a float32 ONNX file and its sidecar, after proving that the file answers as the model does.

    The graph takes `image`, uint8 (batch, H, W, 3) RGB 0…255, any batch, and gives `embedding`, float32 (batch, D) of
    unit length. Opset 17.

    Args:
        model: `FaceModel`, or a bare backbone that `spec` describes.
        path: the file to write; `PATH.json` is written beside it.
        spec: `EmbedderSpec` of this model; it goes into the file's `metadata_props` and the sidecar.
        images: uint8 (N, H, W, 3) RGB, at least 64, to prove the file on; by default `natural_images`.

    Returns:
        `ExportReport`.

    Raises:
        KerasfaceError: the ONNX extra is not installed, a layer can't be expressed, or the file disagrees with the
            model; nothing is written then.
        ValueError: a spec that does not fit the model.

    Example:
        >>> to_onnx(model, "mobilefacenet.onnx", spec=spec).parity.max_abs
        4.2e-07
    """
    try:
        import onnx
        import onnxruntime  # noqa: F401  (the proof needs it; better said now than after the conversion)
        import tf2onnx
    except ModuleNotFoundError as error:
        raise KerasfaceError(
            f"ONNX export needs more packages: pip install kerasface[onnx]. Received: no module {error.name}"
        ) from error
    embedder = prepare(model, path, spec)
    proto = _convert(embedder, tf2onnx)
    try:
        onnx.checker.check_model(proto, full_check=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as error:
        raise KerasfaceError(
            f"ONNX opset {OPSET} has no operator for a layer of the backbone: replace it by one built of convolutions, "
            f"dense layers and elementwise arithmetic. Received: {str(error).splitlines()[0]}"
        ) from error
    content = onnx_with_spec(proto.SerializeToString(), spec)
    return hand_over(content, path, embedder=embedder, spec=spec, format="onnx", precision="fp32", images=images)


def _convert(embedder, tf2onnx):
    import tensorflow as tf

    signature = [tf.TensorSpec((None, *embedder.input_shape[1:]), tf.uint8, name="image")]
    # from_function, because the dict names the output; tf2onnx's from_keras takes Keras 2's names.
    function = tf.function(lambda image: {"embedding": embedder(image, training=False)}, input_signature=signature)
    with _inlined_functions(tf):
        proto, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=OPSET)
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
