"""Measure an embedder as papers do, and choose the threshold that your use needs.

    python examples/04_evaluate_and_choose_a_threshold.py [MODEL.keras] [LFW] [PEOPLE]

LFW has pairs.txt and aligned_112/NAME/NAME_0001.jpg; PEOPLE has a sub-folder of aligned photos for each person, none of
whom training saw. Without them, synthetic people are rendered, whose figures say nothing about real faces.
"""

import sys

from kerasface.data import open_faces, render_identities
from kerasface.evaluation import PairSet, calibrate_embedder, evaluate_pairs, read_lfw, sample_pairs
from kerasface.export import load_trained, stored_precision, write_sidecar

path = sys.argv[1] if len(sys.argv) > 1 else "face.keras"
model, spec = load_trained(path)
embed = model.predict_on_batch
rendered, labels = render_identities(20, 6, seed=1)

# Ten folds; each is judged with the threshold that is best on the nine others. Intervals resample people.
if len(sys.argv) > 2:
    benchmark = read_lfw(sys.argv[2])
else:
    benchmark = PairSet("rendered people", rendered, sample_pairs(labels, num_pairs=200, folds=5, seed=0))
result = evaluate_pairs(embed, benchmark).result
print(f"{benchmark.name}: accuracy {result.accuracy_mean:.2%} ± {result.accuracy_std:.2%}, AUC {result.auc:.4f}")

# A benchmark's best threshold is not yours: take the one that keeps to a false accept rate among your own people.
if len(sys.argv) > 3:
    people = open_faces(sys.argv[3])
    name, photos, labels = sys.argv[3], people.photos, people.labels
else:
    name, photos = "rendered people", rendered
spec, too_few = calibrate_embedder(
    embed, spec, photos, labels, fars=(1e-1, 1e-2, 1e-4), calibrated_on=name, precision=stored_precision(path)
)
for threshold in spec.thresholds:
    bound = f"with 95 % confidence at most one in {1 / threshold.far_upper:.0f}"
    pairs = f"{threshold.impostor_pairs:,} impostor pairs"
    print(f"cosine {threshold.cosine:.4f} accepts one stranger in {1 / threshold.far:g}, {bound} ({pairs})")
for reason in too_few.values():
    print("not given:", reason)
write_sidecar(path, spec)
