"""What the comparison of heads came to, in words; each paragraph's claim is checked against the measures."""

import numpy as np

# ArcFace at 0.5 is not among them.
HELPFUL = {
    "a_softmax": "A-Softmax",
    "sphereface_135": "SphereFace",
    "cosface_020": "CosFace at 0.2",
    "cosface_035": "CosFace at 0.35",
    "arcface_030": "ArcFace at 0.3",
}


def conclusions(runs):
    """Returns the section, of `RunMeasures`.

    Raises:
        ValueError: a paragraph that the measures don't bear out: write another one.
    """
    of = {}
    for run in runs:
        of.setdefault(run.variant, []).append(run)
    lfw = {name: 100 * float(np.mean([run.lfw.accuracy_mean for run in of[name]])) for name in of}
    parts = [about(of, lfw) for about in (_fit, _size, _depth, _limits)]
    for holds, text in parts:
        if not holds:
            raise ValueError(f"the measures don't say so: {text}")
    return "\n\n".join(["## What came out", *(f"- {text}" for _, text in parts)])


def _fit(of, lfw):
    small, large = of["softmax"][0], of["softmax_depth4"][0]
    held_out = {name: float(np.mean([run.held_out_accuracy for run in of[name]])) for name in of}
    more = [100 * (held_out[f"{name}_depth4"] - held_out["softmax_depth4"]) for name in HELPFUL]
    gains = ", ".join(f"{title} {lfw[f'{name}_depth4']:.1f} %" for name, title in HELPFUL.items())
    holds = (
        min(more) > 0
        and all(lfw[f"{name}_depth4"] > lfw["softmax_depth4"] for name in HELPFUL)
        and all(lfw[name] < lfw["softmax"] for name in (*HELPFUL, "arcface_050"))
        and large.last_loss < 0.5 < small.last_loss
    )
    return holds, (
        "**Margins helped the network that fits its people, not the one that doesn't.** The SphereFace-4 ends softmax "
        f"at {large.last_loss:.2f} nats: it has learnt the people it is trained on, and margins raise its LFW accuracy "
        f"from {lfw['softmax_depth4']:.1f} %: {gains}. On held-out people they gain {min(more):.1f} to "
        f"{max(more):.1f} points. The MobileFaceNet of quarter width has a tenth of the weights and ends softmax at "
        f"{small.last_loss:.2f} nats: it has not learnt them in eight epochs, and with every margin it stays below "
        f"softmax's {lfw['softmax']:.1f} %. A harder task is no help to who can't do the easy one; the papers, whose "
        "networks fit their sets, don't show this side. (The two networks differ in more than size: this is the "
        "likeliest reading, not a proof.)"
    )


def _size(of, lfw):
    run = of["arcface_050_depth4"][0]
    strangers = {name: float(np.mean([one.lfw_angles.impostor_mean_degrees for one in of[name]])) for name in of}
    narrow, usual = strangers["arcface_050_depth4"], strangers["arcface_030_depth4"]
    holds = lfw["arcface_050_depth4"] < lfw["softmax_depth4"] < lfw["arcface_030_depth4"] and 3 * narrow < usual
    return holds, (
        "**The papers' margin for ArcFace is too large for these data.** With 0.5 the SphereFace-4 is at "
        f"{lfw['arcface_050_depth4']:.1f} %, below softmax, with 0.3 at {lfw['arcface_030_depth4']:.1f} %. A person "
        f"has {run.images / run.identities:.1f} photos on average here, in CASIA-WebFace 47: a few photos, some of "
        "them blurred, leave a wide angle, and a margin that this angle can't keep costs everybody. Its embeddings lie "
        f"in a narrow cone: strangers are {narrow:.0f}° apart on average, with 0.3 {usual:.0f}°; after eight epochs "
        f"its loss is still {run.last_loss:.1f} nats."
    )


def _depth(of, lfw):
    margin = _by_depth(of["a_softmax_depth4"], of["a_softmax_depth10"])
    plain = _by_depth(of["softmax_depth4"], of["softmax_depth10"])
    early = next(run for run in of["softmax_depth10"] if run.best_epoch < run.epochs / 2)
    others = [gain for seed, gain in plain.items() if seed != early.seed]
    holds = min(margin.values()) > 0.5 and max(map(abs, others)) < 0.1 and len(margin) == 3 == len(plain)
    return holds, (
        "**Depth gives A-Softmax about a point, softmax nothing.** From 4 to 10 layers A-Softmax goes from "
        f"{lfw['a_softmax_depth4']:.1f} % to {lfw['a_softmax_depth10']:.1f} %, by {min(margin.values()):.1f} to "
        f"{max(margin.values()):.1f} points with each of three seeds: fewer than an interval's width, but always up. "
        f"Softmax stays within {max(map(abs, others)):.1f} points with two of its seeds. The third is measured with "
        f"the weights of epoch {early.best_epoch} of {early.epochs}, {100 * early.lfw.accuracy_mean:.1f} %: on "
        "held-out people later epochs were lower by less than their noise, though the AUC, which chooses nothing "
        "here, rose to the end. Softmax has nothing left to learn from its people at either depth "
        f"({of['softmax_depth4'][0].last_loss:.2f} and {early.last_loss:.2f} nats), A-Softmax has."
    )


def _by_depth(shallow, deep):
    """Points of LFW accuracy that depth adds, by seed."""
    before = {run.seed: run.lfw.accuracy_mean for run in shallow}
    return {run.seed: 100 * (run.lfw.accuracy_mean - before[run.seed]) for run in deep}


def _limits(of, lfw):
    runs = [run for each in of.values() for run in each]
    width = float(np.mean([50 * np.ptp(run.lfw.intervals.accuracy) for run in runs]))
    spreads = {name: float(np.ptp([100 * run.lfw.accuracy_mean for run in each])) for name, each in of.items()}
    early = spreads.pop("softmax_depth10")
    spread = max(spreads.values())
    best = [lfw[f"{name}_depth4"] for name in HELPFUL]
    return np.ptp(best) < max(width, spread) < early, (
        f"**What these figures can't tell**: the interval of one run is about ± {width:.1f} points, and seeds of one "
        f"variant differ by up to {spread:.1f}, by {early:.1f} where one was measured so early. Which of the "
        "helpful margins is the best one is within that. LFW chose nothing, and nothing was tuned for the second "
        "network: rate, scale and λ are those of the first."
    )
