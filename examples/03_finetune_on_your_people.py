"""Fine-tune an embedder on your people, and be told whether it helped.

    python examples/03_finetune_on_your_people.py [MODEL.keras] [PHOTOS]

MODEL is any embedder with its spec beside it: face.keras of example 01, an import (example 09), or a file that
`kerasface zoo get NAME --format keras` fetched. PHOTOS has a sub-folder of photos, as a camera takes them, for each
person; without it, synthetic people are rendered. `kerasface finetune` is the same as one command.
"""

import sys
from pathlib import Path

from kerasface.alignment import AlignmentSettings, align_tree
from kerasface.data import render_identities, write_class_folder
from kerasface.export import load_trained
from kerasface.training import finetune

model = sys.argv[1] if len(sys.argv) > 1 else "face.keras"
out = Path("finetuned")
if out.exists():
    sys.exit(f"{out} holds an earlier run: move it away first")
out.mkdir()

if len(sys.argv) > 2:
    _, spec = load_trained(model)
    print(align_tree(sys.argv[2], out / "aligned", AlignmentSettings(template=spec.template)).counts)
else:
    write_class_folder(*render_identities(24, 6, seed=5), out / "aligned")

report = finetune(model, out / "aligned", out, epochs=2)
print(f"trained on {report.trained_people} people, measured on {report.tested_people} others")
print(f"recognised: {report.before.recognised:.1%} before, {report.after.recognised:.1%} after")
print(f"strangers accepted: {report.before.accepted:.1%} before, {report.after.accepted:.1%} after")
print("take the new model:" if report.helped else "keep the old model; the new one:", out / "best.keras")
