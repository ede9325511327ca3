"""Runs the toy experiments and writes docs/toy.md, its JSON and its figures.

python docs/toy.py measure MNIST.npz [CACHE]    # trains what CACHE (runs/toy) doesn't hold yet; then the page
python docs/toy.py render                       # the page from the JSON alone
"""

import json
import sys
from pathlib import Path

import numpy as np
from toy_ablations import bias, last_relu, long_tail, m_min, normalisation, scale
from toy_tables import MARGINS, Runs, spread_table

HERE = Path(__file__).parent
RESULT = HERE / "results" / "toy.json"
PAGE = HERE / "toy.md"
FIGURES = HERE / "figures"
CACHE = HERE.parent / "runs" / "toy"

# What the papers let spread within classes shrink along: SphereFace's figure 2 and appendix D; CosFace's figure 5;
# ArcFace's table 3.
ORDER = (
    ("Softmax", "Modified softmax"),
    ("Modified softmax", MARGINS[1]),
    (MARGINS[1], MARGINS[2]),
    (MARGINS[2], MARGINS[3]),
    ("NSL (NormFace)", "CosFace, m = 0.35"),
    ("NSL (NormFace)", "ArcFace, m = 0.5"),
    ("Softmax", "CosFace, m = 0.35"),
    ("Softmax", "ArcFace, m = 0.5"),
)
PLACES = (
    ("mnist_2d", "MNIST, 2-D", "mnist"),
    ("mnist_3d", "MNIST, 3-D", "mnist"),
    ("sklearn_2d", "scikit-learn's digits, 2-D", "sklearn"),
)


def measure(mnist, cache):
    """Trains, draws, and keeps what was measured in RESULT."""
    from toy_study import study

    result = study(mnist, cache, FIGURES)
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def render():
    """Writes the page from RESULT."""
    PAGE.write_text(page(json.loads(RESULT.read_text(encoding="utf-8"))), encoding="utf-8")


def page(result):
    runs = Runs(result)
    parts = [
        introduction(result),
        spreads(result, runs),
        order(runs),
        effect_of_m(runs),
        normalisation(result, runs),
        scale(result, runs),
        m_min(result, runs),
        last_relu(runs),
        bias(runs),
        long_tail(result, runs),
        fisher(runs),
        curves(),
    ]
    return "\n\n".join("\n".join(part) for part in parts) + "\n"


def introduction(result):
    mnist, sklearn = result["digits"]["mnist"], result["digits"]["sklearn"]
    seeds, epochs = len(result["seeds"]), result["epochs"]
    return [
        "# The toy experiment: what margins do to angles",
        "",
        "Written by `python docs/toy.py render` from `docs/results/toy.json`; nothing here is typed by hand. "
        "`kerasface plot toy` repeats the main sheet.",
        "",
        "The papers train digits into two or three dimensions, where features can be looked at. Here a network of "
        "three convolutions ends in a linear layer of 2 or 3 units and is trained by the library's heads through "
        "`FaceModel.fit`: Adam, learning rate 0.003 down to 0 along a cosine, batches of 128.",
        "",
        f"- **MNIST**: {mnist['train']:,} training and {mnist['test']:,} test images, {epochs[mnist['source']]} "
        f"epochs. The file at hand holds only the digits {mnist['names'][0]} to {mnist['names'][-1]}: "
        f"{len(mnist['names'])} classes, {360 / len(mnist['names']):.0f}° apart on a circle, so there is more room "
        "than in the papers' figures of ten.",
        f"- **scikit-learn's digits**: all {len(sklearn['names'])}, {sklearn['train']:,} and {sklearn['test']:,} "
        f"images of 8×8 pixels, {epochs[sklearn['source']]} epochs: {360 / len(sklearn['names']):.0f}° apart, as "
        "crowded as the papers' circle.",
        f"- Every figure is the mean ± standard deviation over {seeds} seeds (weights and shuffling), measured on the "
        "test images unless said otherwise.",
        f"- **Scale**: normalised heads have s = {result['scale']:g}, see below; the papers' 30 and 64 belong to "
        "thousands of classes.",
        "- **Annealing** of A-Softmax and L-Softmax: λ = 1000 (1 + γ·iteration)^(−35) with λ_min = 0, the L-Softmax "
        "authors' MNIST example, γ = 0.5 / steps stretched so that λ falls from 1000 to 0.0007 within these few "
        "hundred steps: at the end ψ acts alone.",
        "- A class is **lost** when most of its training images lie nearer to another class's mean direction than to "
        "their own: the training did not converge. It stays in the tables, and the last column counts such seeds.",
        "",
        "**Within** is the angle between a sample and its class's mean direction, the mean over samples, then over "
        "classes. **Nearest class** is the angle between a class's mean direction and the next one's. **AFS** is the "
        "angular Fisher score, scatter within classes over scatter between them (lower is better).",
        "",
        "![Features of every head, in two and three dimensions, first seed](figures/toy_heads.png)",
    ]


def spreads(result, runs):
    lines = ["## Spread within classes and between them"]
    for group, title, key in PLACES:
        lines += ["", f"### {title}, {len(result['digits'][key]['names'])} classes", "", *spread_table(runs, group)]
    return [
        *lines,
        "",
        "The mean angle over all pairs of classes says nothing on a circle (it can hardly change while classes stand "
        "all around), so the nearest class is shown.",
        "",
        "![Features of ten digits, first seed](figures/toy_ten_digits.png)",
    ]


def order(runs):
    lines = [
        "## Does the spread shrink in the papers' order?",
        "",
        "Each row is an expectation: the second head lies tighter within its classes than the first. The cells have "
        "the measured means, and in how many seeds it held. A-Softmax with m = 1 is modified softmax by definition.",
        "",
        "| expected | " + " | ".join(title for _, title, _ in PLACES) + " |",
        "|---" * (1 + len(PLACES)) + "|",
    ]
    misses = []
    for wider, tighter in ORDER:
        cells = []
        for group, title, _ in PLACES:
            first, second = (runs.values(group, name, "test", "within_degrees") for name in (wider, tighter))
            held, count = int((first > second).sum()), len(first)
            cells.append(f"{first.mean():.1f}° → {second.mean():.1f}°, {held} of {count}")
            if first.mean() <= second.mean():
                misses.append(f"- {title}: {tighter} is not tighter than {wider} ({cells[-1]} seeds).")
            elif held < count:
                misses.append(
                    f"- {title}: {tighter} is tighter than {wider} on average, not in every seed ({cells[-1]})."
                )
        lines.append(f"| {wider} > {tighter} | " + " | ".join(cells) + " |")
    total = len(ORDER) * len(PLACES)
    if not misses:
        return [*lines, "", "It holds everywhere, in every seed."]
    held = total - len(misses)
    lines += ["", f"In {held} of {total} places it holds in every seed. Where it doesn't:", "", *misses, ""]
    return [*lines, *caveat(runs)]


def caveat(runs):
    """The normalised heads share a scale; how tight they lie hangs on it as much as on the margin."""
    fallen = [
        f"{name} in {title} ({runs.failed(group, name)})"
        for group, title, _ in PLACES
        for name in runs.names(group)
        if runs.failed(group, name)
    ]
    lines = [
        "Heads that keep ‖x‖ (softmax, modified softmax, A-Softmax) choose their own scale by growing the features; "
        "the normalised ones have a fixed one, so a comparison across the two kinds is one of scales too. NSL beside "
        "CosFace and ArcFace, and m beside m, are the comparisons where only the margin differs.",
    ]
    return (
        [
            *lines,
            "",
            "Trainings that lost a class, which makes their spread mean little (in brackets: in how many seeds): "
            + ", ".join(fallen)
            + ".",
        ]
        if fallen
        else lines
    )


def effect_of_m(runs):
    lines = ["## The effect of m", "", *sweep_header()]
    for names in (
        (("mnist_2d", MARGINS[0]), ("mnist_2d", MARGINS[1]), ("mnist_2d", MARGINS[2]), ("mnist_2d", MARGINS[3])),
        (("mnist_2d", "NSL (NormFace)"), ("margins", "CosFace, m = 0.1"), ("margins", "CosFace, m = 0.2"),
         ("mnist_2d", "CosFace, m = 0.35")),
        (("mnist_2d", "NSL (NormFace)"), ("margins", "ArcFace, m = 0.1"), ("margins", "ArcFace, m = 0.3"),
         ("mnist_2d", "ArcFace, m = 0.5")),
    ):  # fmt: skip
        lines.append(sweep_row(runs, names))
    return [*lines, "", "![Margins and normalisation, first seed](figures/toy_margins.png)"]


def sweep_header():
    return [
        "| head | within, MNIST in 2-D, from the smallest m to the largest | falls at every step |",
        "|---|---|---|",
    ]


def sweep_row(runs, names):
    means = [runs.values(group, name, "test", "within_degrees").mean() for group, name in names]
    labels = [name.split("m = ")[1] if "m = " in name else "0" for _, name in names]
    told = " → ".join(f"{mean:.1f}° (m = {label})" for mean, label in zip(means, labels, strict=True))
    return f"| {names[-1][1].split(',')[0]} | {told} | {'yes' if (np.diff(means) < 0).all() else 'no'} |"


def fisher(runs):
    rows = []
    for group in ("mnist_2d", "heads"):
        for name in runs.names(group):
            rows.append((runs.values(group, name, "test", "angular_fisher_score").mean(), group, name))
    lines = [
        "## Angular Fisher score of each head",
        "",
        "Every head of the library on MNIST in 2-D, the tightest first; those not named above have their class's "
        "default margins, which were chosen for thousands of identities.",
        "",
        *spread_table(runs, "mnist_2d", [])[:2],
    ]
    for _, group, name in sorted(rows):
        lines.append(spread_table(runs, group, [name])[2])
    return [*lines, "", "![The further heads, first seed](figures/toy_further_heads.png)"]


def curves():
    return [
        "## The curves behind it",
        "",
        "`kerasface plot psi`, `kerasface plot target-logits`, `kerasface plot boundaries`; every value is asked of "
        "the heads themselves.",
        "",
        "![ψ(θ) and its annealing](figures/psi.png)",
        "",
        "![The target's logit of every head](figures/target_logits.png)",
        "",
        "![Decision boundaries between two classes](figures/boundaries.png)",
    ]


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"] and len(sys.argv) in (3, 4):
        measure(Path(sys.argv[2]), Path(sys.argv[3]) if len(sys.argv) == 4 else CACHE)
    elif sys.argv[1:] != ["render"]:
        raise SystemExit(__doc__)
    render()
