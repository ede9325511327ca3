"""The one entry to all export formats."""

from kerasface.export.onnx import to_onnx
from kerasface.export.tflite import PRECISIONS, to_tflite

__all__ = ["FORMATS", "export"]

# The precisions that each format is written in, the default first.
FORMATS = {"tflite": PRECISIONS, "onnx": ("fp32",)}


def export(model, path, *, to, spec, precision=None, images=None):
    """Writes a model in the format asked for, proven equal to the model.

    Args:
        model: `FaceModel`, or a bare backbone that `spec` describes.
        path: the file to write; `PATH.json` is written beside it.
        to: "tflite" or "onnx".
        spec: `EmbedderSpec` of this model, from `embedder_spec`.
        precision: one of `FORMATS[to]`, by default the first: fp16 for TFLite, fp32 for ONNX.
        images: uint8 (N, H, W, 3) RGB, at least 64, to prove the file on; by default `natural_images`.

    Returns:
        `ExportReport`.

    Raises:
        KerasfaceError: as `to_tflite` and `to_onnx`; nothing is written then.
        ValueError: an unknown format, or a precision that the format is not written in.

    Example:
        >>> report = export(model, "mobilefacenet.tflite", to="tflite", spec=spec)
        >>> print(report.to_json())
    """
    if to not in FORMATS:
        raise ValueError(f"to must be one of {tuple(FORMATS)}. Received: to={to!r}")
    precision = precision or FORMATS[to][0]
    if precision not in FORMATS[to]:
        raise ValueError(f"{to} files are written in {FORMATS[to]}. Received: precision={precision!r}")
    if to == "tflite":
        return to_tflite(model, path, spec=spec, precision=precision, images=images)
    return to_onnx(model, path, spec=spec, images=images)
