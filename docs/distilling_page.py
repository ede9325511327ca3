"""The page and the figure of docs/distilling.py."""

import itertools

from matplotlib.figure import Figure
from matplotlib.ticker import PercentFormatter

from kerasface.plot.style import PALETTE, styled

__all__ = ["drawn", "page"]

HALF, FULL = "mobilefacenet.sface_photos", "mobilefacenet.sface_photos_full"


def drawn(result):
    """Nearness to the teacher over hours and over photos, and LFW's accuracy over photos."""
    with styled():
        drawing = Figure(figsize=(10.5, 3.6), layout="constrained")
        hours, photos, lfw = drawing.subplots(1, 3)
        half, full = (result["networks"][name] for name in (HALF, FULL))
        for curve, label, style in (
            (half["curve"], "half width", {"color": PALETTE[0]}),
            (result["longer"]["curve"], "half width, gone on with", {"color": PALETTE[4], "linestyle": "--"}),
            (full["curve"], "widened to full", {"color": PALETTE[1]}),
        ):
            begun = 0.0 if curve is half["curve"] else half["hours"]
            along = [begun + point["hours"] for point in curve]
            hours.plot(along, [point["cosine"] for point in curve], marker="o", markersize=3, label=label, **style)
        hours.set(xlabel="hours of training", ylabel="cosine to the teacher, training batches")
        runs = result["runs"]
        counts = [run["photos"] for run in runs]
        for name, label, color in (("trained", "photos trained on", PALETTE[0]), ("held_out", "held out", PALETTE[1])):
            nearness = [run["cosine_to_teacher"][name] for run in runs]
            photos.plot(counts, nearness, marker="o", color=color, label=label)
        photos.set(xlabel="photos", ylabel="cosine to the teacher")
        accuracy = {key: [run["lfw"][key] for run in runs] for key in ("accuracy", "std")}
        lfw.errorbar(counts, accuracy["accuracy"], accuracy["std"], marker="o", capsize=3, color=PALETTE[2])
        lfw.set(xlabel="photos", ylabel="LFW accuracy")
        lfw.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=1))
        hours.legend(loc="lower right", fontsize=8)
        photos.legend(loc="upper right", fontsize=8)
        for axis in (photos, lfw):
            axis.set_xscale("log", base=2)
            axis.set_xticks(counts, [f"{count / 1000:.1f}k" for count in counts])
            axis.minorticks_off()
    return drawing


def page(result):
    """The page as Markdown."""
    networks, runs = result["networks"], result["runs"]
    half, full, teacher = networks[HALF], networks[FULL], networks["teacher"]
    lines = [
        "# What bounds a distilled embedder",
        "",
        "Written by `python docs/distilling.py render` from `docs/results/distilling.json`; no figure here is typed "
        "by hand. LFW chose nothing. "
        "Everything is measured by the face alone, but for the teacher's AUC: of its embeddings of "
        "the face and of the mirror image together, which are what its students learn. Cosines to the teacher are "
        "means over CelebA's photos, since the people held out are CelebA's.",
        "",
        "![Cosine to the teacher over the hours of training of the zoo's two distilled networks; cosine to the "
        "teacher, on photos trained on and held out, and LFW accuracy, over the number of photos trained on]"
        "(figures/distilling.png)",
        "",
        "## More hours, more weights",
        "",
        "| network | parameters | epochs | hours | cosine, photos trained on | cosine, held out "
        "| AUC, people held out | LFW |",
        "|---|---|---|---|---|---|---|---|",
        *(_network_row(name, networks[name]) for name in (HALF, FULL)),
        f"| the teacher, SFace | | | | | | {teacher['held_out']['auc']:.4f} | {_lfw(teacher)} |",
        "",
        f"The second begins with the first's weights, widened: {half['hours'] + full['hours']:.1f} hours are in it, of "
        "two CPU cores that had other work too, validation left out. The curve on the left is of training batches, "
        "augmented.",
        "",
        "## More photos",
        "",
        f"The recipe of {HALF} with a narrower network, width {result['width']:g} ({runs[0]['parameters']:,} "
        f"parameters), and {result['steps']:,} steps of {result['batch_size']} photos whatever their number. Each "
        f"share holds the smaller ones; the {runs[0]['held_out']['people']} people held out are the same.",
        "",
        "| photos | epochs | cosine, photos trained on | cosine, held out | AUC, people held out | LFW |",
        "|---|---|---|---|---|---|",
        *(_photos_row(run) for run in runs),
        "",
        f"*AUC* is the mean of {result['draws']} draws of {result['pairs']} pairs.",
        "",
        "## What bounds it",
        "",
        *_bounds(half, full, teacher, runs, result["longer"]),
        "",
    ]
    return "\n".join(lines)


def _bounds(half, full, teacher, runs, longer):
    """What the measures say; of others it is not said."""
    fewest, most = runs[0], runs[-1]
    more = _held_out(most) - _held_out(fewest)
    gaps = [network["cosine_to_teacher"]["trained"] - _held_out(network) for network in (half, full)]
    own = fewest["cosine_to_teacher"]["trained"] - _held_out(fewest)
    wider = _held_out(full) - _held_out(half)
    rises = all(before["cosine"] < after["cosine"] for before, after in itertools.pairwise(full["curve"]))
    on = longer["curve"]
    then = max(point["cosine"] for point in full["curve"] if point["hours"] <= on[-1]["hours"])
    if not (0 <= more < wider / 2 and max(gaps) < own < wider and rises):
        raise ValueError("the measures don't say so")
    return (
        f"- Hardly the number of photos, at this much training: {most['photos'] / fewest['photos']:.0f} times as many "
        f"brought the cosine on people held out from {_held_out(fewest):.3f} to {_held_out(most):.3f}, and the zoo's "
        f"networks are only {gaps[0]:.3f} and {gaps[1]:.3f} nearer the teacher on photos that they learnt from. That "
        f"of the fewest photos was {own:.3f} nearer on its own, after {fewest['epochs']} epochs.",
        f"- Hours and weights: {full['hours']:.1f} hours more, of a network of "
        f"{full['parameters'] / half['parameters']:.1f} times as many weights, brought it from {_held_out(half):.3f} "
        f"to {_held_out(full):.3f}, and LFW from {half['lfw']['accuracy']:.2%} to {full['lfw']['accuracy']:.2%}. The "
        f"curve rises to its end. Hours alone, {on[-1]['hours']:.1f} of them with the half-width network as it is and "
        f"a rate that falls from {longer['learning_rate']:g} to 0, brought its training batches from "
        f"{half['curve'][-1]['cosine']:.3f} to {on[-1]['cosine']:.3f}; those of the full width were at {then:.3f} "
        f"after as many, its rate yet to fall, and at {full['curve'][-1]['cosine']:.3f} in the end.",
        f"- Not yet the teacher, whose LFW accuracy is {teacher['lfw']['accuracy']:.2%}.",
    )


def _held_out(network):
    return network["cosine_to_teacher"]["held_out"]


def _network_row(name, network):
    return (
        f"| {name} | {network['parameters']:,} | {network['epochs']} | {network['hours']:.1f} | {_cosines(network)} | "
        f"{network['held_out']['auc']:.4f} | {_lfw(network)} |"
    )


def _photos_row(run):
    return f"| {run['photos']:,} | {run['epochs']} | {_cosines(run)} | {run['held_out']['auc']:.4f} | {_lfw(run)} |"


def _cosines(network):
    near = network["cosine_to_teacher"]
    return f"{near['trained']:.3f} | {near['held_out']:.3f}"


def _lfw(network):
    return f"{network['lfw']['accuracy']:.2%} ± {network['lfw']['std']:.2%}"
