"""The trainings behind docs/toy.md: which settings, what is measured, and a cache so that they can be interrupted."""

import dataclasses
import re

import numpy as np
from PIL import Image

from kerasface import heads, plot, toy
from kerasface.toy.paper import SCALE

SEEDS = (0, 1, 2)
# As many steps on either source: 5,000 images × 8 epochs, 1,438 × 27.
EPOCHS = {"MNIST": 8, "scikit-learn's digits": 27}
TRAIN_IMAGES = 5000
LARGE_SCALE = 16.0
TAIL_RATIO = 100
BINARY = (2, 3)  # two digits that look alike
NORMALISED = {"scale": SCALE}
ON_README = ("Softmax", "A-Softmax, m = 4", "CosFace, m = 0.35", "ArcFace, m = 0.5")
IN_PAPER = ("softmax", "modified_softmax", "a_softmax", "normface", "cosface", "arcface")


def groups(mnist, sklearn):
    """Every group of the page: name, digits, settings."""
    planar = {setting.name: setting for setting in toy.paper_settings(2)}
    softmax, modified, m4 = (planar[name] for name in ("Softmax", "Modified softmax", "A-Softmax, m = 4"))
    a_softmax = [planar[f"A-Softmax, m = {m}"] for m in (1, 2, 3, 4)]
    replace = dataclasses.replace
    yield "mnist_2d", mnist, planar.values()
    yield "mnist_3d", mnist, toy.paper_settings(3)
    yield "sklearn_2d", sklearn, planar.values()
    yield "binary", mnist.only(BINARY), a_softmax
    yield (
        "relu",
        mnist,
        [replace(setting, name=f"{setting.name}, last ReLU", last_relu=True) for setting in (softmax, m4)],
    )
    yield "bias", mnist, [replace(softmax, name="Softmax without bias", bias=False)]
    normalised = [
        replace(setting, name=f"{setting.name}, s = {SCALE:g}", arguments={**setting.arguments, **NORMALISED})
        for setting in a_softmax[1:]
    ]
    yield "normalised", mnist, normalised
    yield "margins", mnist, list(margins())
    yield (
        "long_tail",
        mnist.long_tailed(TAIL_RATIO),
        [
            replace(setting, name=f"{setting.name}, long tail")
            for setting in (softmax, modified, planar["NSL (NormFace)"])
        ],
    )
    yield "heads", mnist, list(other_heads())
    yield (
        "scale",
        mnist,
        [
            replace(
                planar[name],
                name=f"{name}, s = {LARGE_SCALE:g}",
                arguments={**planar[name].arguments, "scale": LARGE_SCALE},
            )
            for name in ("NSL (NormFace)", "CosFace, m = 0.35", "ArcFace, m = 0.5")
        ],
    )


def margins():
    for margin in (0.1, 0.2):
        yield toy.Setting(f"CosFace, m = {margin}", "cosface", {**NORMALISED, "margin": margin})
    for margin in (0.1, 0.3):
        yield toy.Setting(f"ArcFace, m = {margin}", "arcface", {**NORMALISED, "margin": margin})


def other_heads():
    """The rest of the registry, at the class's own margins."""
    for name in heads.names():
        if name not in IN_PAPER:
            title = type(heads.get(name, num_classes=5)).__name__
            scaled = {} if name in ("l_softmax", "adacos") else NORMALISED
            yield toy.Setting(title, name, scaled, annealed=name == "l_softmax")


def study(mnist_path, cache, figures):
    """Trains what the cache doesn't hold yet, draws the sheets, returns what the page is made of."""
    cache.mkdir(parents=True, exist_ok=True)
    mnist, sklearn = toy.load_digits(mnist_path, train=TRAIN_IMAGES), toy.load_digits()
    records, sheets = [], {}
    for group, digits, settings in groups(mnist, sklearn):
        for setting in settings:
            for seed in SEEDS:
                run = trained(group, digits, setting, seed, cache)
                records.append(measured(group, digits, run, seed))
                if seed == SEEDS[0]:
                    sheets.setdefault(group, []).append((run, digits))
    draw(sheets, figures)
    return {
        "seeds": list(SEEDS),
        "epochs": EPOCHS,
        "scale": SCALE,
        "large_scale": LARGE_SCALE,
        "tail_ratio": TAIL_RATIO,
        "binary": [mnist.names[label] for label in BINARY],
        "digits": {key: described(digits) for key, digits in (("mnist", mnist), ("sklearn", sklearn))},
        "tail": np.bincount(mnist.long_tailed(TAIL_RATIO).train_labels).tolist(),
        "runs": records,
    }


def described(digits):
    return {
        "source": digits.source,
        "names": list(digits.names),
        "train": len(digits.train_labels),
        "test": len(digits.test_labels),
    }


def trained(group, digits, setting, seed, cache):
    """The run, from the cache where it is there."""
    stem = re.sub(r"[^a-z0-9]+", "_", f"{group} {setting.name}".lower()).strip("_")
    path = cache / f"{stem}_{seed}.npz"
    fields = [field.name for field in dataclasses.fields(toy.ToyRun) if field.name != "setting"]
    if not path.is_file():
        print(path.stem, flush=True)
        run = toy.train_toy(setting, digits, seed=seed, epochs=EPOCHS[digits.source])
        whole = path.with_suffix(".part")
        with open(whole, "wb") as file:
            np.savez_compressed(file, **{name: getattr(run, name) for name in fields})
        whole.rename(path)
    with np.load(path) as arrays:
        return toy.ToyRun(setting, **{name: arrays[name] for name in fields})


def measured(group, digits, run, seed):
    record = {
        "group": group,
        "name": run.setting.name,
        "head": run.setting.head,
        "arguments": dict(run.setting.arguments),
        "seed": seed,
        "losses": [round(float(loss), 4) for loss in run.losses],
        "train_accuracy": float(run.train_accuracy),
        "test_accuracy": float(run.test_accuracy),
        "prototype_lengths": np.linalg.norm(run.prototypes, axis=1).round(4).tolist(),
        "test_recall": recall(run, digits),
        "classes_lost": classes_lost(run.train_features, digits.train_labels),
        "train": spread(run.train_features, digits.train_labels),
        "test": spread(run.test_features, digits.test_labels),
    }
    margin = run.setting.arguments.get("margin")
    if run.setting.head == "a_softmax":
        kept = toy.keeps_margin(run.train_features, digits.train_labels, run.prototypes, margin)
        record["keeping_margin"] = {"share": float(kept.mean())}
        if len(np.unique(digits.train_labels[kept])) > 1:
            record["keeping_margin"] |= extremes(run.train_features[kept], digits.train_labels[kept])
    return record


def recall(run, digits):
    """Of each class, the share of test features nearest in angle to its own prototype's direction."""
    cosines = run.test_features @ (run.prototypes / np.linalg.norm(run.prototypes, axis=1, keepdims=True)).T
    right = cosines.argmax(axis=1) == digits.test_labels
    return [float(right[digits.test_labels == label].mean()) for label in range(len(digits.names))]


def classes_lost(features, labels):
    """How many classes have most of their training images nearer to another class's mean direction than to theirs."""
    unit = features / np.maximum(np.linalg.norm(features, axis=1, keepdims=True), 1e-12)
    means = np.stack([unit[labels == label].sum(axis=0) for label in range(labels.max() + 1)])
    means /= np.maximum(np.linalg.norm(means, axis=1, keepdims=True), 1e-12)
    right = (unit @ means.T).argmax(axis=1) == labels
    return int(sum(right[labels == label].mean() < 0.5 for label in range(len(means))))


def spread(features, labels):
    kept = toy.without_outliers(features, labels)
    return {
        **dataclasses.asdict(toy.angular_spread(features, labels)),
        "angular_fisher_score": toy.angular_fisher_score(features, labels),
        **extremes(features, labels),
        "without_outliers": extremes(features[kept], labels[kept]),
    }


def extremes(features, labels):
    intra, inter = toy.extreme_angles(features, labels)
    return {"largest_intra_degrees": intra, "smallest_inter_degrees": inter}


def draw(sheets, figures):
    for file, names in {
        "toy_heads": ("mnist_2d", "mnist_3d"),
        "toy_ten_digits": ("sklearn_2d",),
        "toy_margins": ("margins", "normalised"),
        "toy_ablations": ("relu", "bias", "long_tail"),
        "toy_further_heads": ("heads",),
    }.items():
        runs = [run for name in names for run, _ in sheets[name]]
        digits = sheets[names[0]][0][1]
        save(toy.feature_sheet(runs, digits), figures / f"{file}.png")
    spheres = {run.setting.name: (run, digits) for run, digits in sheets["mnist_3d"]}
    runs = [spheres[name][0] for name in ON_README]
    save(toy.feature_sheet(runs, spheres[ON_README[0]][1], columns=len(runs)), figures / "toy_four_heads.png")
    save(plot.psi_figure(), figures / "psi.png")
    save(plot.target_logit_figure(), figures / "target_logits.png")
    save(plot.decision_boundary_figure(), figures / "boundaries.png")


def save(figure, path):
    """Saves with a palette: these figures have few colours, and a page should load fast."""
    plot.save(figure, path)
    lighten(path)


def lighten(path):
    with Image.open(path) as image:
        light = image.convert("RGB").quantize(128, dither=Image.Dither.NONE)
    light.save(path, optimize=True)
