"""Runs the commands of the README on real faces and writes docs/real-faces.md, its JSON, and the README's figures.

python docs/real_faces.py measure RUN DATA    # RUN: folder of a finished `kerasface train`; DATA: with lfw/ in it
python docs/real_faces.py render              # the pages from the JSON alone
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from marked import put_between

HERE = Path(__file__).parent
RESULT = HERE / "results" / "real_faces.json"
PAGE = HERE / "real-faces.md"
README = HERE.parent / "README.md"
RECIPE = "zoo/recipes/mobilefacenet_arcface_celeba.yaml"
MARKS = ("<!-- figures: begin (docs/real_faces.py writes them) -->", "<!-- figures: end -->")
PEOPLE, ENROLLED = 8, 2
CANT_SAY = 2


def measure(run, data):
    """Evaluates, exports, verifies, enrolls and identifies; keeps results and transcripts in RESULT."""
    training = json.loads((run / "result.json").read_text())
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "data").symlink_to(data.resolve())
        (work / "runs").mkdir()
        (work / "runs/first").symlink_to(run.resolve())
        command = Transcript(work)
        lfw = {}
        for flip in ("none", "sum"):
            command(f"evaluate runs/first/best.keras --lfw data/lfw --flip {flip} --json keras_{flip}.json")
            lfw[f"Keras, flip {flip}"] = verification(work / f"keras_{flip}.json")
        for to in ("tflite", "onnx"):
            command(f"export runs/first/best.keras --to {to} --out first.{to}")
        command("evaluate first.tflite --lfw data/lfw --flip sum --json tflite_sum.json")
        lfw["TFLite fp16, flip sum"] = verification(work / "tflite_sum.json")
        for first, second in some_pairs(data / "lfw"):
            command(f"verify first.tflite {first} {second}", expect=(0, 1, CANT_SAY))
        probes = some_people(data / "lfw", work / "people")
        command("enroll first.tflite people --gallery team.kfg")
        command(f"identify first.tflite {' '.join(probes)} --gallery team.kfg")
        spec = json.loads((work / "first.tflite.json").read_text())["spec"]
    training.pop("model_path")
    result = {"training": training, "lfw": lfw, "spec": spec, "transcript": command.lines}
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def verification(path):
    """The verification figures of a report of `kerasface evaluate`."""
    return json.loads(path.read_text())["verification"]["result"]


class Transcript:
    """Runs kerasface commands in a folder and remembers what they printed."""

    def __init__(self, folder):
        self.folder, self.lines = folder, []

    def __call__(self, arguments, expect=(0,)):
        command = [str(Path(sys.executable).parent / "kerasface"), *arguments.split()]
        print("$ kerasface", arguments)
        process = subprocess.run(
            command, cwd=self.folder, capture_output=True, text=True, check=False, env={**os.environ, "COLUMNS": "150"}
        )
        if process.returncode not in expect:
            raise SystemExit(f"exit {process.returncode}: {process.stderr}")
        # What could not be used is said on standard error, and belongs to the story.
        told = process.stdout + (process.stderr if process.returncode == CANT_SAY or "enroll" in arguments else "")
        text = "\n".join(line.rstrip() for line in told.strip().splitlines())
        self.lines.append({"command": f"kerasface {arguments}", "output": text, "exit_code": process.returncode})


def some_pairs(lfw):
    """The first three genuine and the first three impostor pairs of LFW's first fold, as raw photos."""
    lines = [line.split("\t") for line in (lfw / "pairs.txt").read_text().splitlines()[1:]]
    genuine = [(name, a, name, b) for name, a, b in (line for line in lines[:300] if len(line) == 3)][:3]
    impostor = [tuple(line) for line in lines[300:600]][:3]
    return [(photo(first, a), photo(second, b)) for first, a, second, b in genuine + impostor]


def photo(name, number):
    return f"data/lfw/photos_250/{name}/{name}_{int(number):04d}.jpg"


def some_people(lfw, folder):
    """Links the first photos of the first people with three or more; returns one more photo of each, and strangers."""
    counts = {person.name: sorted(person.iterdir()) for person in sorted((lfw / "photos_250").iterdir())}
    known = [name for name, files in counts.items() if len(files) > ENROLLED][:PEOPLE]
    strangers = [name for name, files in counts.items() if len(files) == 1][:PEOPLE]
    for name in known:
        (folder / name).mkdir(parents=True)
        for file in counts[name][:ENROLLED]:
            (folder / name / file.name).symlink_to(file.resolve())
    files = [counts[name][ENROLLED] for name in known] + [counts[name][0] for name in strangers]
    return [str(Path("data/lfw") / file.relative_to(lfw)) for file in files]


def render():
    """Writes the page and the README's block from RESULT."""
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    PAGE.write_text(page(result), encoding="utf-8")
    put_between(MARKS, summary(result), README)


def summary(result):
    training, lfw = result["training"], result["lfw"]["TFLite fp16, flip sum"]
    return (
        f"So far: that recipe, {training['epochs']} epochs on {training['identities']:,} CelebA identities "
        f"({training['images']:,} images) from scratch, {training['wall_seconds'] / 60:.0f} minutes on two shared CPU "
        f"cores, gave {percent(lfw['accuracy_mean'])} ± {percent(lfw['accuracy_std'])} on LFW (10 folds, the exported "
        "TFLite file). That is a small run with few images a person, not a good embedder: see "
        "[docs/real-faces.md](docs/real-faces.md)."
    )


def page(result):
    training, spec = result["training"], result["spec"]
    measured = next(iter(result["lfw"].values()))["tar_at_far"]
    fars = sorted((far for far, tar in measured.items() if tar is not None), key=float, reverse=True)
    lines = [
        "# The first run on real faces",
        "",
        "Written by `python docs/real_faces.py render` from `docs/results/real_faces.json`; nothing here is typed "
        "by hand.",
        "LFW was touched once, at the end; the epoch was chosen on held-out training identities.",
        "",
        "## Training",
        "",
        f"`kerasface train {RECIPE}`: {training['identities']:,} identities, {training['images']:,} images, "
        f"{training['epochs']} epochs, {training['steps']:,} steps, {training['wall_seconds'] / 60:.0f} minutes of "
        f"wall time on two CPU cores shared with other work ({training['images_per_second']:.1f} images/s). Best "
        f"epoch: {training['best_epoch']}, held-out verification {percent(training['held_out_accuracy'])}.",
        "",
        "| epoch | loss | held-out verification | AUC | learning rate |",
        "|---|---|---|---|---|",
    ]
    for epoch in training["history"]:
        lines.append(
            f"| {epoch['epoch']} | {epoch['loss']:.3f} | {percent(epoch['held_out_accuracy'])} ± "
            f"{percent(epoch['held_out_accuracy_std'])} | {epoch['held_out_auc']:.4f} | {epoch['learning_rate']:.2g} |"
        )
    lines += [
        "",
        "## LFW, view 2: 6,000 pairs, 10 folds, each judged with the other folds' threshold",
        "",
        "| embedder | accuracy | AUC | equal error rate | " + " | ".join(f"TAR at FAR {far}" for far in fars) + " |",
        "|---|---|---|---|" + "---|" * len(fars),
    ]
    for name, lfw in result["lfw"].items():
        tars = " | ".join(percent(lfw["tar_at_far"][far]) for far in fars)
        lines.append(
            f"| {name} | {percent(lfw['accuracy_mean'])} ± {percent(lfw['accuracy_std'])} | {lfw['auc']:.4f} | "
            f"{percent(lfw['eer'])} | {tars} |"
        )
    lines += ["", "TAR at lower FARs is not printed: 3,000 impostor pairs can't support it.", "", "## Thresholds", ""]
    for threshold in spec["thresholds"]:
        lines.append(
            f"- cosine {threshold['cosine']:.4f} for FAR {threshold['far']:g}, from {threshold['impostor_pairs']:,} "
            f"impostor pairs of {threshold['calibrated_on']} ({threshold['precision']})"
        )
    lines += [
        "",
        "## Transcript: raw photos in, names out",
        "",
        "Verified are the first three genuine and the first three impostor pairs of LFW's first fold; identified are "
        f"one more photo of each of {PEOPLE} people enrolled with {ENROLLED} photos, then {PEOPLE} strangers. Nobody "
        "was picked by hand, and what went wrong stands here too.",
        "",
        "```console",
    ]
    for entry in result["transcript"]:
        lines += [f"$ {entry['command']}", entry["output"], ""]
    return "\n".join([*lines[:-1], "```", ""])


def percent(rate):
    return f"{100 * rate:.2f} %"


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"]:
        measure(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1:] != ["render"]:
        raise SystemExit(__doc__)
    render()
