"""Export: one trained model to one file that a device runs, proven equal to the model before it is handed over."""

from kerasface.edge.delegation import Delegation, delegation
from kerasface.export.artefact import open_artefact
from kerasface.export.comparison import Compared, Comparison, compare
from kerasface.export.crops import read_crops
from kerasface.export.exporter import FORMATS, export
from kerasface.export.handover import Calibration
from kerasface.export.identity import embedder_id, embedder_spec
from kerasface.export.metadata import write_sidecar
from kerasface.export.onnx import to_onnx
from kerasface.export.operators import count_operators, forbidden_operators
from kerasface.export.parity import ParityReport, check, natural_images
from kerasface.export.precision import stored_precision
from kerasface.export.prelu import SlopedMaximum, without_prelu
from kerasface.export.report import ExportReport
from kerasface.export.saved_model import to_saved_model
from kerasface.export.strip import Standardize, UnitLength, strip
from kerasface.export.tflite import PRECISIONS, to_tflite
from kerasface.export.trained import load_trained

__all__ = [
    "FORMATS",
    "PRECISIONS",
    "Calibration",
    "Compared",
    "Comparison",
    "Delegation",
    "ExportReport",
    "ParityReport",
    "SlopedMaximum",
    "Standardize",
    "UnitLength",
    "check",
    "compare",
    "count_operators",
    "delegation",
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
