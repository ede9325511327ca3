"""Bring weights from elsewhere into a Keras model, proven to embed as their own runtime does.

    python examples/09_import_insightface.py [SOURCE ARCH]
    python examples/09_import_insightface.py backbone.pth iresnet50

SOURCE is a state dict of insightface's arcface_torch (.pth, .pt, .safetensors), or a float32 ONNX or TFLite file;
nothing in it is ever run. ARCH is iresnet18 … iresnet200, mbf or mobilefacenet. Without arguments it takes face.onnx of
example 05. `kerasface zoo import` is the same as one command.
"""

import sys
from pathlib import Path

from kerasface.export import export, load_trained
from kerasface.zoo import import_weights

if Path("imported").exists():
    sys.exit("imported holds an earlier import: move it away first")
source, arch = sys.argv[1:3] if len(sys.argv) > 2 else ("face.onnx", "mobilefacenet")
report = import_weights(
    source,
    arch=arch,
    name=f"{arch}.imported",
    out="imported",
    licence="unknown",  # write what the weights' author states
)
proof = report.proof
print(f"{arch} from {source}: {report.spec.embedding_size} numbers from {report.spec.input_shape} pixels")
print(f"against {proof.runtime}: largest difference {proof.max_abs:.1e}, least cosine {proof.min_cosine:.7f}")

# From here on it is a model like any other.
model, spec = load_trained(report.model_path)
print(export(model, "imported.tflite", to="tflite", spec=spec, precision="int8").to_markdown())
