"""8-bit TFLite files out of float32 ones, by ai-edge-quantizer."""

import contextlib
import os
import tempfile
from pathlib import Path

from kerasface.errors import KerasfaceError

__all__ = ["REPRESENTATIVE", "quantize_dynamically", "quantize_statically", "require_quantizer"]

# The fewest images that ranges are taken from.
REPRESENTATIVE = 64

# Everything that our backbones become, but for the first CAST and the last L2_NORMALIZATION: eight bits of a unit
# vector's coordinates would be one part in 128 of the longest possible, and those of 512 numbers are a twentieth.
_INTEGER = (
    *("ADD", "AVERAGE_POOL_2D", "CONCATENATION", "CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED", "LOGISTIC"),
    *("MAXIMUM", "MEAN", "MUL", "PAD", "RESHAPE", "SPLIT", "SUB", "SUM"),
)


def require_quantizer():
    """Says, before the slow conversion, that ai-edge-quantizer is missing.

    Raises:
        KerasfaceError: it is not installed.
    """
    try:
        import ai_edge_quantizer  # noqa: F401
    except ModuleNotFoundError as error:
        raise KerasfaceError(
            f"8-bit files need {error.name}: pip install 'kerasface[train]', or export fp16."
        ) from error


def quantize_dynamically(content):
    """Rounds the weights of convolutions and dense layers to 8 bits; no calibration.

    Convolutions and dense layers compute in int8, their inputs rounded as they come, image by image. Depthwise
    convolutions are unpacked once and compute in float32: XNNPACK has no faster way for them. Everything else stays.

    Args:
        content: a float32 TFLite file's bytes.

    Returns:
        bytes.
    """
    from ai_edge_quantizer.qtyping import TFLOperationName

    def configure(quantizer):
        for operator in (TFLOperationName.CONV_2D, TFLOperationName.FULLY_CONNECTED):
            quantizer.add_dynamic_config(regex=".*", operation_name=operator, num_bits=8)
        quantizer.add_weight_only_config(regex=".*", operation_name=TFLOperationName.DEPTHWISE_CONV_2D, num_bits=8)

    return _quantized(content, configure)


def quantize_statically(content, images):
    """Rounds weights and activations to 8 bits: the file computes in integers between its first and last operator.

    The range of every activation is that of its values on `images`; weights have a scale for each channel.

    Args:
        content: a float32 TFLite file's bytes, PReLU already rewritten (`without_prelu`).
        images: (runs, batch, H, W, 3) of the file's own input type.

    Returns:
        bytes.
    """
    from ai_edge_quantizer.qtyping import TFLOperationName

    def configure(quantizer):
        for operator in _INTEGER:
            quantizer.add_static_config(
                regex=".*", operation_name=TFLOperationName[operator], activation_num_bits=8, weight_num_bits=8
            )

    return _quantized(content, configure, images)


def _quantized(content, configure, images=None):
    from ai_edge_quantizer.quantizer import Quantizer

    with tempfile.TemporaryDirectory(prefix="kerasface-") as folder, _silent():
        source, target = Path(folder) / "float.tflite", Path(folder) / "int8.tflite"
        source.write_bytes(content)
        quantizer = Quantizer(str(source))
        configure(quantizer)
        ranges = None
        if images is not None:
            samples = [{"image": batch} for batch in images]
            ranges = quantizer.calibrate({"serving_default": samples}, num_threads=os.cpu_count() or 1)
        quantizer.quantize(ranges, enable_progress_report=False).export_model(str(target))
        return target.read_bytes()


@contextlib.contextmanager
def _silent():
    # Its calibrator warns of a flag that it sets itself, and draws a bar on standard error.
    import warnings

    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
