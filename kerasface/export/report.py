"""ExportReport: what an export wrote and what was proven of it."""

import dataclasses
import json

from kerasface.edge.delegation import Delegation
from kerasface.export.comparison import Comparison
from kerasface.export.parity import ParityReport
from kerasface.spec import Threshold

__all__ = ["ExportReport"]


@dataclasses.dataclass(frozen=True)
class ExportReport:
    """What an export wrote, and the proof that came with it.

    Args:
        path: the artefact; its sidecar is `PATH.json`.
        format: "tflite", "onnx" or "saved-model".
        precision: "fp32", "fp16", "int8" or "int8-full".
        input_dtype: "uint8" or "float32".
        bytes: the artefact's size.
        sha256: of the file, as in the sidecar.
        embedder_id: the model's, the same in all of its files.
        images_from: what the proof's images were.
        parity: `ParityReport` of the artefact against the Keras model.
        delegation: `Delegation` of a TFLite file, else None.
        thresholds: `Threshold`s that the artefact carries: its own where it was calibrated, else the model's, whose
            `precision` says what they were measured in.
        comparison: `Comparison` of the precisions on a verification set, or None.
    """

    path: str
    format: str
    precision: str
    input_dtype: str
    bytes: int
    sha256: str
    embedder_id: str
    images_from: str
    parity: ParityReport
    delegation: Delegation | None = None
    thresholds: tuple[Threshold, ...] = ()
    comparison: Comparison | None = None

    def to_json(self):
        """Returns the report as a JSON text, keys sorted."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    def rows(self):
        """Returns the report as (what, value) texts, in the order in which they are read."""
        parity = self.parity
        rows = [
            ("file", self.path),
            ("format", f"{self.format} {self.precision}, {self.input_dtype} input"),
            ("size", f"{self.bytes / 1e6:.2f} MB"),
            (
                "against Keras",
                f"max difference {parity.max_abs:.1e}, min cosine {parity.min_cosine:.6f}, "
                f"mean {parity.mean_cosine:.6f}",
            ),
            ("proven on", f"{parity.images} {self.images_from}"),
        ]
        if self.delegation is not None:
            outside = ", ".join(sorted(set(self.delegation.outside))) or "none"
            rows.append(("nodes on XNNPACK", f"{self.delegation.nodes} of {sum(parity.operators.values())}"))
            rows.append(("outside", outside))
        for threshold in self.thresholds:
            where = f"{threshold.calibrated_on} ({threshold.precision})"
            rows.append((f"cosine at FAR {threshold.far:g}", f"{threshold.cosine:.4f}, from {where}"))
        return [*rows, ("sha256", self.sha256), ("embedder", self.embedder_id)]

    def to_markdown(self):
        """Returns the report as Markdown tables."""
        lines = ["| what | value |", "|---|---|", *(f"| {what} | {value} |" for what, value in self.rows())]
        if self.comparison is not None:
            lines += ["", self.comparison.to_markdown().rstrip("\n")]
        return "\n".join(lines) + "\n"
