"""Fine-tunes the zoo's embedder on the AT&T faces and writes the figures of docs/finetuning.md.

python docs/finetuning_measured.py measure FACES    # FACES: the set's folder, s1 to s40
python docs/finetuning_measured.py render           # the page from the JSON alone
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np
from marked import put_between

import kerasface

HERE = Path(__file__).parent
RESULT = HERE / "results" / "finetuning.json"
PAGE = HERE / "finetuning.md"
MARKS = ("<!-- figures: begin (docs/finetuning_measured.py writes them) -->", "<!-- figures: end -->")
MODEL = "mobilefacenet.sface_photos"
SEEDS = (0, 1, 2, 3)
PEOPLE = 40  # of the set


def measure(faces):
    """Runs the page's command once a seed; keeps what the reports say in RESULT."""
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        for seed in SEEDS:
            out = Path(folder) / f"seed_{seed}"
            command = [Path(sys.executable).parent / "kerasface", "finetune", MODEL, "--data", faces]
            subprocess.run([*command, "--out", out, "--seed", str(seed)], check=True)
            runs.append({"seed": seed, **summary(json.loads((out / "report.json").read_text(encoding="utf-8")))})
    result = {"model": MODEL, "version": kerasface.__version__, "runs": runs}
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def summary(report):
    """A report without its single cosines."""
    counts = ("trained_people", "trained_images", "tested_people", "tested_images", "best_epoch")
    return {**{name: report[name] for name in counts}, **{side: rates(report[side]) for side in ("before", "after")}}


def rates(one):
    """The rates of one model, and the median cosines of members and of strangers."""
    medians = {name: float(np.median(one[name])) for name in ("own", "nearest")}
    return {"fpir": one["fpir"], "recognised": one["recognised"], "accepted": one["accepted"], **medians}


def figures(result):
    """What stands between the page's marks."""
    runs = result["runs"]
    first = runs[0]
    lines = [
        f"`kerasface finetune {result['model']} --data att_orl`, {len(runs)} times with another seed, which decides "
        f"who is set aside: of {PEOPLE} people, with ten grey photos each, {first['trained_people']} are trained on, "
        f"{PEOPLE - first['trained_people'] - first['tested_people']} choose the epoch and {first['tested_people']} "
        f"are set aside. Thresholds were chosen to let {first['before']['fpir']:.0%} of strangers pass.",
        "",
        "| seed | epoch | members recognised | strangers accepted | cosine to own template | to the nearest other |",
        "|---|---|---|---|---|---|",
    ]
    for run in runs:
        lines.append(f"| {run['seed']} | {run['best_epoch']} | {' | '.join(changes(run['before'], run['after']))} |")
    mean = {
        side: {name: np.mean([run[side][name] for run in runs]) for name in first[side]} for side in ("before", "after")
    }
    lines.append(f"| mean | | {' | '.join(changes(mean['before'], mean['after']))} |")
    return "\n".join(lines)


def changes(before, after):
    """The cells of one row: a figure before and after."""
    shown = [("recognised", ".1%"), ("accepted", ".1%"), ("own", ".3f"), ("nearest", ".3f")]
    return [f"{before[name]:{form}} → {after[name]:{form}}" for name, form in shown]


def render():
    """Writes the figures into the page."""
    put_between(MARKS, figures(json.loads(RESULT.read_text(encoding="utf-8"))), PAGE)


if __name__ == "__main__":
    if sys.argv[1] == "measure":
        measure(Path(sys.argv[2]).resolve())
    render()
