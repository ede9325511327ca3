"""The one entry to all export formats."""

import dataclasses

from kerasface.errors import KerasfaceError
from kerasface.export.comparison import compare
from kerasface.export.onnx import to_onnx
from kerasface.export.saved_model import to_saved_model
from kerasface.export.stripping import strip
from kerasface.export.tflite import PRECISIONS, to_tflite

__all__ = ["FORMATS", "export"]

# The precisions that each format is written in, the default first.
FORMATS = {"tflite": PRECISIONS, "onnx": ("fp32",), "saved-model": ("fp32",)}
_WRITERS = {"tflite": to_tflite, "onnx": to_onnx, "saved-model": to_saved_model}


def export(
    model, path, *, to, spec, precision=None, pair_set=None, representative=None, images=None, progress=None, **options
):
    """Writes a model in the format asked for, proven equal to the model.

    Args:
        model: `FaceModel`, or a bare backbone that `spec` describes.
        path: the file to write; `PATH.json` is written beside it.
        to: "tflite", "onnx" or "saved-model".
        spec: `EmbedderSpec` of this model, from `embedder_spec`.
        precision: one of `FORMATS[to]`, by default the first: fp16 for TFLite, fp32 for the others.
        pair_set: `evaluation.PairSet`, on which Keras, fp32, fp16 and int8 files are measured too, and int8-full where
            `representative` is given; it takes minutes.
        representative: see `to_tflite`.
        images: uint8 (N, H, W, 3) RGB, at least 64, to prove the file on; by default `natural_images`.
        progress: called as `progress(done, total)` while the pair set is embedded.
        **options: of `to_tflite`, `to_onnx` and `to_saved_model`: input_dtype, calibration, batch, layout, web.

    Returns:
        `ExportReport`.

    Raises:
        KerasfaceError: as the writers; nothing is written then.
        ValueError: an unknown format, or a precision that the format is not written in.

    Example:
        >>> report = export(model, "mobilefacenet.tflite", to="tflite", spec=spec)
        >>> print(report.to_markdown())
    """
    if to not in FORMATS:
        raise ValueError(f"to must be one of {tuple(FORMATS)}. Received: to={to!r}")
    precision = precision or FORMATS[to][0]
    if precision not in FORMATS[to]:
        raise ValueError(f"{to} files are written in {FORMATS[to]}. Received: precision={precision!r}")
    if to == "tflite":
        options = {**options, "precision": precision, "representative": representative}
    elif representative is not None and pair_set is None:
        raise KerasfaceError(f"representative faces are for int8-full, which {to} files don't have.")
    report = _WRITERS[to](model, path, spec=spec, images=images, **options)
    if pair_set is None:
        return report

    def convert(target, other):
        to_tflite(model, target, spec=spec, precision=other, images=images, representative=representative)

    wanted = [
        name for name in ("fp32", "fp16", "int8", "int8-full") if name != "int8-full" or representative is not None
    ]
    comparison = compare(strip(model, spec), spec, pair_set, precisions=wanted, convert=convert, progress=progress)
    return dataclasses.replace(report, comparison=comparison)
