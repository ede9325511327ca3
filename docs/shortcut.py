"""Measures what the CelebA subset gives away besides faces, and what heads make of it; writes docs/shortcut.md.

python docs/shortcut.py set DATA                  # DATA: the aligned people's folder; what photos alone give away
python docs/shortcut.py networks DATA OUT NAME    # NAME: mirror or degraded; OUT: of `kerasface compare`
python docs/shortcut.py render                    # the page from the JSON alone
"""

import json
import sys
from pathlib import Path

import numpy as np
import tensorflow as tf
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from kerasface.data import Augmentation, open_faces
from kerasface.evaluation import Pairs, pair_scores, represent, sample_pairs, verify
from kerasface.export import load_trained
from kerasface.training import Recipe
from kerasface.training.comparison import Comparison, RunMeasures
from kerasface.training.run.run_faces import open_run_faces

HERE = Path(__file__).parent
RESULT = HERE / "results" / "shortcut.json"
PAGE = HERE / "shortcut.md"
RECIPE = "zoo/recipes/compare_heads_celeba.yaml"
# The subset was put together from two sources: 299 people with sharp photos, mostly twenty, the others with two or
# three photos that were enlarged from half the size.
MANY = 10
SAMPLE = 600
FOLDS, PAIRS = 10, 3000
DEGRADED = ("blur", "low_resolution", "jpeg")
TRIALS = {
    "none": {},
    "low_resolution 0.2": {"low_resolution": 0.2},
    "low_resolution 1": {"low_resolution": 1.0},
    "blur 1": {"blur": 1.0},
    "blur 0.5, low_resolution 0.5, jpeg 0.5": dict.fromkeys(DEGRADED, 0.5),
    "blur 1, low_resolution 1, jpeg 1": dict.fromkeys(DEGRADED, 1.0),
}

TRAINED = {
    "mirror": "Trained with mirror images alone",
    "degraded": "Trained with blur, low resolution and JPEG as well, each for half of the photos, of a strength "
    "drawn anew",
}
HEAD = """# A set's shortcut

Written by `python docs/shortcut.py render` from `docs/results/shortcut.json`; figures are not typed by hand. In a
first [comparison of heads](heads-compared.md) A-Softmax and SphereFace raised the accuracy on people held out of
training and lowered it on LFW. This is why, and what came of it: a set that is put together from two sources rewards
whoever looks at the source."""
WORDS = """Held-out people by two ways of drawing pairs. *By image*: genuine pairs as often as there are any, so that
people with twenty photos give nearly all of them, and impostor pairs of any two people, nearly all with few photos: to
see the source is to know the answer. *By person*: `sample_pairs`, both kinds of pairs of the same people, each as often
as any other. The last two columns are mean cosines of different people, both with ten photos or more, and both with
fewer. A network that looks at faces alone has the two alike. Degraded photos cure SphereFace's margin of it, A-Softmax
with m = 4 hardly."""
ADVICE = """## What to do with a set of your own

- Draw validation pairs with `sample_pairs`, as `kerasface train` does. More pairs want more
  photos a person, so fewer people give them: `validation.pairs` of about twice as many as there are people held out
  keeps them all.
- Believe a gain on held-out people of the same set only when another set shows it too.
- Where sharpness, size or compression go with the person, let the augmentation hide it: `blur: 0.5`,
  `low_resolution: 0.5`, `jpeg: 0.5`."""


def measure_set(data):
    """How well the number of a person's photos can be told from one photo's spectrum, whoever is on it."""
    faces = open_faces(data, min_images=2)
    counts = np.bincount(faces.labels)
    rng = np.random.default_rng(0)
    rows = [
        rng.choice(np.flatnonzero(kind), SAMPLE, replace=False)
        for kind in ((counts >= MANY)[faces.labels], (counts <= 3)[faces.labels])
    ]
    photos = crops(faces.take(np.concatenate(rows)))
    many = np.repeat([True, False], SAMPLE)
    told = {}
    for name, changes in TRIALS.items():
        changed = augmented(photos, Augmentation(**changes)) if changes else photos
        told[name] = auc_of_spectrum(changed, many)
        print(name, told[name], flush=True)
    people = {"people": len(counts), "images": len(faces)}
    people |= {"many_people": int((counts >= MANY).sum()), "many_images": int(counts[counts >= MANY].sum())}
    keep({"set": people | {"auc": told}})


def crops(faces):
    """(N, H, W, 3) uint8 RGB of a `FaceSource`."""
    return np.stack([np.asarray(tf.io.decode_jpeg(photo.read_bytes(), channels=3)) for photo in faces.photos])


def augmented(photos, augmentation):
    """The photos as training sees them."""
    numbered = tf.data.Dataset.from_tensor_slices(photos).enumerate()
    changed = numbered.map(lambda row, image: augmentation(tf.cast(image, tf.float32), seed=tf.stack([row, 1])))
    return np.stack([np.asarray(image) for image in changed])


def auc_of_spectrum(photos, many):
    """Cross-validated AUC of a logistic regression on a photo's mean power in rings of spatial frequency."""
    gray = photos.astype(np.float64).mean(axis=-1)
    side = gray.shape[1]
    window = np.outer(np.hanning(side), np.hanning(side))
    centred = gray - gray.mean(axis=(1, 2), keepdims=True)
    power = np.abs(np.fft.fftshift(np.fft.fft2(centred * window), axes=(1, 2))) ** 2
    radius = np.hypot(*(np.indices((side, side)) - side // 2))
    rings = [power[:, (radius >= low) & (radius < low + 4)].mean(axis=1) for low in range(0, side // 2, 4)]
    model = make_pipeline(StandardScaler(), LogisticRegression(max_iter=2000))
    return float(cross_val_score(model, np.log(rings).T, many, cv=5, scoring="roc_auc").mean())


def measure_networks(data, out, name):
    """What a comparison's networks make of people whom their training held out, beside LFW's measures."""
    found = []
    for planned in Comparison.read(HERE.parent / RECIPE).runs():
        folder = out / planned.place
        if not (folder / "measures.json").is_file():
            continue
        run = RunMeasures.from_json((folder / "measures.json").read_text(encoding="utf-8"))
        # The recipe of the run, which may be an older one than the comparison's.
        recipe = Recipe.read(folder / "recipe.json")
        model, _ = load_trained(folder / "best.keras")
        held_out = open_run_faces(recipe, data, ()).held_out
        rows = represent(model.predict_on_batch, crops(held_out))
        found.append({"title": run.title, "seed": run.seed, "lfw": run.lfw.accuracy_mean, **of_network(rows, held_out)})
        print(found[-1], flush=True)
    keep({name: found})


def of_network(rows, held_out):
    """Accuracies and angles of one network's embeddings, (N, D) and unit, of people held out."""
    labels = held_out.labels
    many = (np.bincount(labels) >= MANY)[labels]
    strangers = labels[:, None] != labels[None]
    cosines = rows @ rows.T
    fair = sample_pairs(labels, num_pairs=2 * FOLDS * (len(held_out.names) // FOLDS), seed=1, folds=FOLDS)
    return {
        "people": len(held_out.names),
        "by_image": verify(*judged(rows, by_image(labels))).accuracy_mean,
        "by_person": verify(*judged(rows, fair)).accuracy_mean,
        "cosine_many": float(cosines[strangers & many[:, None] & many].mean()),
        "cosine_few": float(cosines[strangers & ~many[:, None] & ~many].mean()),
    }


def by_image(labels):
    """Pairs as they come: of all genuine pairs as many as any other, of two people as often as of any two."""
    rng = np.random.default_rng(1)
    one, other = np.triu_indices(len(labels), 1)
    genuine = np.flatnonzero(labels[one] == labels[other])
    chosen = rng.choice(genuine, PAIRS // 2, replace=False)
    people = np.stack([rng.choice(labels.max() + 1, 2, replace=False) for _ in range(PAIRS // 2)])
    strangers = np.vectorize(lambda person: rng.choice(np.flatnonzero(labels == person)))(people)
    return Pairs(
        first=np.concatenate([one[chosen], strangers[:, 0]]),
        second=np.concatenate([other[chosen], strangers[:, 1]]),
        same=np.repeat([True, False], PAIRS // 2),
        folds=np.tile(np.arange(PAIRS // 2) % FOLDS, 2),
    )


def judged(rows, pairs):
    """What `verify` takes."""
    return pair_scores(rows, pairs), pairs.same, pairs.folds


def keep(part):
    """Puts a part of the measures into RESULT."""
    known = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}
    RESULT.write_text(json.dumps(known | part, indent=1) + "\n", encoding="utf-8")


def page(result):
    """The page as Markdown."""
    whole = result["set"]
    lines = [
        HEAD,
        "",
        f"Of {whole['people']:,} people with two photos or more, {whole['many_people']} have ten or more, "
        f"{whole['many_images']:,} of {whole['images']:,} photos. A logistic regression sees the mean power of one "
        f"photo in rings of spatial frequency, nothing of the face, and tells photos of the two kinds of people apart "
        "(cross-validated AUC, 0.5 is chance), as they are and as training's augmentation leaves them:",
        "",
        "| augmentation | AUC |",
        "|---|---|",
        *(f"| {name} | {auc:.3f} |" for name, auc in whole["auc"].items()),
        "",
        "## What heads made of it",
        "",
        WORDS,
    ]
    for name, title in TRAINED.items():
        if name in result:
            lines += ["", f"{title}; {result[name][0]['people']} people held out:", "", *table(result[name])]
    return "\n".join([*lines, "", ADVICE, ""])


def table(networks):
    """One row a network."""
    rows = [
        f"| {one['title']} | {one['by_image']:.1%} | {one['by_person']:.1%} | {one['lfw']:.1%} | "
        f"{one['cosine_many']:.2f} | {one['cosine_few']:.2f} |"
        for one in networks
    ]
    return [
        "| head | held out, pairs by image | held out, pairs by person | LFW | strangers with many photos | with few |",
        "|---|---|---|---|---|---|",
        *rows,
    ]


def render():
    """Writes the page."""
    PAGE.write_text(page(json.loads(RESULT.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1] == "set":
        measure_set(Path(sys.argv[2]))
    if sys.argv[1] == "networks":
        measure_networks(Path(sys.argv[2]), Path(sys.argv[3]), sys.argv[4])
    render()
