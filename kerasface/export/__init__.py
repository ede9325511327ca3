"""Export: one trained model to one file that a device runs, proven equal to the model before it is handed over."""

from kerasface.lazy import lazy

_HOMES = {
    "FORMATS": "exporter",
    "PRECISIONS": "tflite",
    "Calibration": "handover",
    "Compared": "comparison",
    "Comparison": "comparison",
    "ExportReport": "report",
    "ParityReport": "parity",
    "SlopedMaximum": "prelu",
    "Standardize": "stripping",
    "UnitLength": "stripping",
    "check": "parity",
    "compare": "comparison",
    "count_operators": "operators",
    "embedder_id": "identity",
    "embedder_spec": "identity",
    "export": "exporter",
    "forbidden_operators": "operators",
    "load_trained": "trained",
    "natural_images": "parity",
    "open_artefact": "artefact",
    "read_crops": "crops",
    "stored_precision": "precision",
    "strip": "stripping",
    "to_onnx": "onnx",
    "to_saved_model": "saved_model",
    "to_tflite": "tflite",
    "without_prelu": "prelu",
    "write_sidecar": "metadata",
}

__all__ = [
    "FORMATS",
    "PRECISIONS",
    "Calibration",
    "Compared",
    "Comparison",
    "ExportReport",
    "ParityReport",
    "SlopedMaximum",
    "Standardize",
    "UnitLength",
    "check",
    "compare",
    "count_operators",
    "embedder_id",
    "embedder_spec",
    "export",
    "forbidden_operators",
    "load_trained",
    "natural_images",
    "open_artefact",
    "read_crops",
    "stored_precision",
    "strip",
    "to_onnx",
    "to_saved_model",
    "to_tflite",
    "without_prelu",
    "write_sidecar",
]


# Lazy: the precision of a file and its sidecar need no TensorFlow.
__getattr__, __dir__ = lazy(__name__, _HOMES)
