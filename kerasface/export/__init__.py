"""Export: one trained model to one file that a device runs, proven equal to the model before it is handed over."""

from kerasface.export.delegation import Delegation, delegation
from kerasface.export.exporter import FORMATS, export
from kerasface.export.handover import ExportReport
from kerasface.export.identity import embedder_id, embedder_spec
from kerasface.export.onnx import to_onnx
from kerasface.export.operators import count_operators, forbidden_operators
from kerasface.export.parity import ParityReport, check, natural_images
from kerasface.export.strip import Standardize, UnitLength, strip
from kerasface.export.tflite import PRECISIONS, to_tflite
from kerasface.export.trained import load_trained

__all__ = [
    "FORMATS",
    "PRECISIONS",
    "Delegation",
    "ExportReport",
    "ParityReport",
    "Standardize",
    "UnitLength",
    "check",
    "count_operators",
    "delegation",
    "embedder_id",
    "embedder_spec",
    "export",
    "forbidden_operators",
    "load_trained",
    "natural_images",
    "strip",
    "to_onnx",
    "to_tflite",
]
