"""The sections of docs/toy.md that change one thing at a time."""

import numpy as np
from toy_tables import MARGINS, percent, spread, spread_table

# m_min: SphereFace, properties 2 and 3.
M_MIN_MANY, M_MIN_BINARY = 3.0, 2 + 3**0.5


def normalisation(result, runs):
    lines = [
        "## The effect of feature normalisation",
        "",
        f"The same margin with the embedding's own length and with features normalised to s = {result['scale']:g} "
        "(MNIST, 2-D).",
        "",
        "| head | within, ‖x‖ | within, normalised | nearest class, ‖x‖ | nearest class, normalised |",
        "|---|---|---|---|---|",
    ]
    pairs = [("Modified softmax", ("mnist_2d", "NSL (NormFace)"))]
    pairs += [(name, ("normalised", f"{name}, s = {result['scale']:g}")) for name in MARGINS[1:]]
    tighter = 0
    for name, (group, other) in pairs:
        cells = [
            runs.cell(*place, "test", key, digits=digits)
            for key, digits in (("within_degrees", 1), ("nearest_degrees", 0))
            for place in (("mnist_2d", name), (group, other))
        ]
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
        within = [
            runs.values(*place, "test", "within_degrees").mean() for place in (("mnist_2d", name), (group, other))
        ]
        tighter += within[1] < within[0]
    return [
        *lines,
        "",
        f"Normalised features lie tighter in {tighter} of {len(pairs)}. CosFace and NormFace normalise so that easy "
        "samples can't buy a small loss with long features; how much room that leaves hangs on s.",
    ]


def scale(result, runs):
    """Why s is no larger."""
    lines = [
        "## The scale in two dimensions",
        "",
        f"With s = {result['large_scale']:g} the same heads train worse here: in two dimensions prototypes "
        "can't pass around each other.",
        "",
        *spread_table(runs, "mnist_2d", [])[:2],
    ]
    for name in runs.names("scale"):
        lines += spread_table(runs, "mnist_2d", [name.rsplit(", s = ", 1)[0]])[2:]
        lines += spread_table(runs, "scale", [name])[2:]
    return lines


def m_min(result, runs):
    binary = " and ".join(result["binary"])
    lines = [
        "## m against m_min",
        "",
        "SphereFace wants the largest angle within a class to be smaller than the smallest between classes, and "
        f"derives the smallest m for it: {M_MIN_MANY:g} with many classes spread evenly, 2 + √3 = {M_MIN_BINARY:.2f} "
        "with two. That speaks of training samples that all meet their margin, m θ_y < θ_j. Below, on the training "
        "images: how many do, the extremes among those, and the extremes among all but the 5 % of each class that lie "
        "furthest out (one digit that looks like another makes them 180° and 0°, so the extremes of all say nothing).",
        "",
        "| classes | m | meet the margin | largest within / smallest between, of these | within < between "
        "| largest / smallest, 95 % of all | within < between |",
        "|---|---|---|---|---|---|---|",
    ]
    told = []
    for group, title, minimum in (
        ("mnist_2d", f"{len(result['digits']['mnist']['names'])}, MNIST", M_MIN_MANY),
        ("sklearn_2d", f"{len(result['digits']['sklearn']['names'])}, scikit-learn's", M_MIN_MANY),
        ("binary", f"2, MNIST's {binary}", M_MIN_BINARY),
    ):
        agreed = []
        for m, name in enumerate(MARGINS, start=1):
            line, holds = m_min_row(runs, group, name)
            lines.append(f"| {title} | {m} | {line} |")
            agreed.append((holds == 1.0) == (m >= minimum))
        verdict = (
            "as m_min says for every m"
            if all(agreed)
            else "not as m_min says for "
            + ", ".join(f"m = {m}" for m, agrees in enumerate(agreed, start=1) if not agrees)
        )
        told.append(f"- {title} (m_min = {minimum:.2f}): among the samples that meet their margin, {verdict}.")
    return [*lines, "", *told]


def m_min_row(runs, group, name):
    """The row's cells, and in what share of seeds the samples that meet the margin keep within < between."""
    cells, shares = [], []
    for keys in (("keeping_margin",), ("train", "without_outliers")):
        intra = runs.values(group, name, *keys, "largest_intra_degrees")
        inter = runs.values(group, name, *keys, "smallest_inter_degrees")
        shares.append(float((intra < inter).mean()))
        held = f"{int((intra < inter).sum())} of {len(intra)}"
        cells += [f"{spread(intra)} / {spread(inter)}", held]
    met = percent(runs.values(group, name, "keeping_margin", "share"))
    return " | ".join([met, *cells]), shares[0]


def last_relu(runs):
    return [
        "## With and without the last ReLU",
        "",
        "SphereFace takes it away (appendix A): with it two-dimensional features have a quarter of the circle.",
        "",
        *spread_table(runs, "mnist_2d", ["Softmax", MARGINS[3]]),
        *spread_table(runs, "relu")[2:],
        "",
        "![Last ReLU, bias and long tail, first seed](figures/toy_ablations.png)",
    ]


def bias(runs):
    with_bias, without = ("mnist_2d", "Softmax"), ("bias", "Softmax without bias")
    values = [runs.values(*place, "test", "within_degrees") for place in (with_bias, without)]
    change, noise = values[1].mean() - values[0].mean(), max(each.std() for each in values)
    verdict = "within" if abs(change) <= 2 * noise else "beyond"
    return [
        "## With and without bias",
        "",
        "SphereFace expects no visible difference (appendix C).",
        "",
        *spread_table(runs, "mnist_2d", ["Softmax"]),
        *spread_table(runs, "bias")[2:],
        "",
        f"Without bias the spread within classes changes by {change:+.1f}°, {verdict} two standard deviations of the "
        f"seeds ({noise:.1f}°).",
    ]


def long_tail(result, runs):
    sizes = np.array(result["tail"])
    lines = [
        "## A long-tailed training set",
        "",
        f"MNIST with {', '.join(f'{size:,}' for size in sizes)} training images of the digits "
        f"{', '.join(result['digits']['mnist']['names'])} (1 to {result['tail_ratio']}), and the balanced test set. "
        "SphereFace (appendix B) finds longer prototypes for larger classes, a prior that normalisation takes away. "
        "Recall by angle is judged by the nearest prototype's direction, as a face would be.",
        "",
        "| head | longest / shortest prototype | correlation of length with log size | recall of the largest class, by "
        "angle | of the smallest, by angle | within | test accuracy |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in runs.names("long_tail"):
        lengths = runs.values("long_tail", name, "prototype_lengths")
        recall = runs.values("long_tail", name, "test_recall")
        if name.startswith("Softmax"):
            ratio = spread(lengths.max(axis=1) / lengths.min(axis=1), 2, "")
            correlation = spread(np.array([np.corrcoef(np.log(sizes), each)[0, 1] for each in lengths]), 2, "")
        else:
            ratio, correlation = "1 (normalised)", "–"
        lines.append(
            f"| {name.split(',')[0]} | {ratio} | {correlation} | {percent(recall[:, 0])} | {percent(recall[:, -1])} "
            f"| {runs.cell('long_tail', name, 'test', 'within_degrees')} "
            f"| {percent(runs.values('long_tail', name, 'test_accuracy'))} |"
        )
    return lines
