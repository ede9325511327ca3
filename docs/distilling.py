"""Measures what bounds the zoo's distilled embedders, hours or photos or the teacher, and writes docs/distilling.md.

python docs/distilling.py train DATA OUT TEACHER SHARE   # DATA: with celeba/ and the others; SHARE: of the photos
python docs/distilling.py measure DATA OUT TEACHER       # those runs, the zoo's networks and the teacher
python docs/distilling.py longer RUN                     # a run whose `initial` is the zoo's half-width network
python docs/distilling.py render                         # page and figure from the JSON alone
"""

import json
import sys
from pathlib import Path

import numpy as np
from distilling_page import drawn, page

from kerasface import zoo
from kerasface.backbones import parameters
from kerasface.data import list_photos, open_faces, split_identities, write_list
from kerasface.evaluation import pair_scores, read_lfw, represent, sample_pairs, verify
from kerasface.export import load_trained
from kerasface.plot.style import save
from kerasface.training import Recipe, train
from kerasface.training.run.run_faces import open_run_faces
from kerasface.training.teacher import teacher_embeddings

HERE = Path(__file__).parent
PAGE = HERE / "distilling.md"
RESULT = HERE / "results" / "distilling.json"
PUBLISHED = HERE / "results" / "accuracy_latency.json"
CARDS = HERE.parent / "zoo" / "cards"
RECIPE = HERE.parent / "zoo" / "recipes" / "mobilefacenet_sface_photos.yaml"
ZOO = ("mobilefacenet.sface_photos", "mobilefacenet.sface_photos_full")
# The zoo's recipe, narrower and shorter: the same number of steps whatever the share.
WIDTH, STEPS = 0.375, 1300
# Training needs people with names, so a few of those whom the zoo's recipe holds out are trained on.
HELD_OUT = 0.95
SHARES = ("1/8", "1/3", "1")
SETS = ("celeba", "cfp", "utkface")
DRAWS, PAIRS = 10, 240


def recipe_of(teacher):
    """The recipe that every share is trained by."""
    budget = ["epochs=null", f"steps={STEPS}", "schedule.warmup_epochs=0", "schedule.warmup_steps=100"]
    changes = [f"backbone.width={WIDTH}", f"data.held_out={HELD_OUT}", f"validation.pairs={PAIRS}"]
    return Recipe.read(RECIPE, [*changes, *budget, f"teacher.model={teacher}"])


def train_share(data, out, teacher, share):
    """Trains on a share of the photos; goes on with a run that was stopped."""
    folder = folder_of(out, share)
    chosen, run = folder / "photos", folder / "run"
    if not chosen.exists():
        faces = open_faces(data / "celeba" / "aligned_112", min_images=2)
        zoos = Recipe.read(RECIPE)
        _, aside = split_identities(faces.labels, fraction=zoos.data.held_out, seed=zoos.seed)
        others = np.flatnonzero(~np.isin(faces.labels, aside))
        photos = [Path(str(faces.photos[int(row)])) for row in others]
        photos += [Path(str(photo)) for name in SETS[1:] for photo in list_photos(data / name / "aligned_112")]
        # One order for all: each share holds the smaller ones.
        order = np.random.default_rng(0).permutation(len(photos))
        above, below = (int(part) for part in f"{share}/1".split("/")[:2])
        chosen.mkdir(parents=True)
        write_list(faces.select(aside), folder / "aside.csv")
        for number, row in enumerate(order[: len(photos) * above // below]):
            (chosen / f"{number:06d}{photos[row].suffix}").symlink_to(photos[row])
    train(recipe_of(teacher), folder / "aside.csv", run, photos=[chosen], resume=(run / "checkpoints").exists())


def folder_of(out, share):
    """The folder of a share's run."""
    return out / share.replace("/", "_of_")


def measure(data, out, teacher):
    """Measures networks on photos trained on, on people held out, and on LFW, all by the face alone."""
    lfw, recipe, networks = read_lfw(data / "lfw"), Recipe.read(RECIPE, [f"teacher.model={teacher}"]), {}
    celeba, *others = (data / name / "aligned_112" for name in SETS)
    faces = open_run_faces(recipe, celeba, others)
    for name in ZOO:
        networks[name] = measured(embedder(zoo.load(name)), faces, recipe, lfw) | trained(name)
        print(name, networks[name], flush=True)
    published = json.loads(PUBLISHED.read_text(encoding="utf-8"))["published"]["sface, onnx"]
    # Its embeddings of a face and the mirror image together are what the students learn.
    held_out = held_out_figures(teacher_embeddings(recipe.teacher, faces.held_out.photos), faces.held_out)
    networks["teacher"] = {"held_out": held_out, "lfw": {key: published[key] for key in ("accuracy", "std")}}
    recipe, runs = recipe_of(teacher), []
    for share in SHARES:
        folder = folder_of(out, share)
        training = json.loads((folder / "run" / "result.json").read_text(encoding="utf-8"))
        faces = open_run_faces(recipe, folder / "aside.csv", [folder / "photos"])
        model, _ = load_trained(folder / "run" / "best.keras")
        runs.append(
            {
                "photos": len(faces.training),
                "epochs": training["epochs"],
                "wall_seconds": training["wall_seconds"],
                "parameters": parameters(model.backbone),
                **measured(embedder(model), faces, recipe, lfw),
            }
        )
        print(runs[-1], flush=True)
    about = {"width": WIDTH, "steps": STEPS, "batch_size": recipe.batch_size, "draws": DRAWS, "pairs": PAIRS}
    RESULT.write_text(json.dumps({**about, "networks": networks, "runs": runs}, indent=1) + "\n", encoding="utf-8")


def trained(name):
    """What the card of a network of the zoo says about its training: size, hours, and the loss over them."""
    card = json.loads((CARDS / f"{name}.json").read_text(encoding="utf-8"))
    training, curve = card["training"], curve_of(card["training"]["history"], card["recipe"]["batch_size"])
    ((_, model),) = card["model"]["models"].items()
    hours = curve[-1]["hours"]
    return {"parameters": model["parameters"], "epochs": training["epochs"], "hours": hours, "curve": curve}


def curve_of(history, batch_size):
    """Nearness to the teacher, epoch by epoch: the loss is the cosine distance."""
    hours, photos, curve = 0.0, 0, []
    for epoch in history:
        hours += (epoch["step"] * batch_size - photos) / epoch["images_per_second"] / 3600
        photos = epoch["step"] * batch_size
        curve.append({"hours": hours, "photos": photos, "cosine": 1 - epoch["loss"]})
    return curve


def longer(run):
    """Adds the curve of a run that went on with the half-width network as it is."""
    result, recipe = (json.loads((run / name).read_text(encoding="utf-8")) for name in ("result.json", "recipe.json"))
    measures = json.loads(RESULT.read_text(encoding="utf-8"))
    measures["longer"] = {
        "learning_rate": recipe["optimizer"]["learning_rate"],
        "curve": curve_of(result["history"], recipe["batch_size"]),
    }
    RESULT.write_text(json.dumps(measures, indent=1) + "\n", encoding="utf-8")


def embedder(model):
    """A function of photos that gives unit embeddings."""
    return lambda photos: represent(model.predict_on_batch, photos, batch_size=64)


def measured(embed, faces, recipe, lfw):
    """Figures of a network whose run had these faces, and how near the teacher it is on them."""
    # People held out are CelebA's alone, which other sets' profiles and children are harder than.
    like = [row for row, photo in enumerate(faces.training.photos) if SETS[0] in Path(str(photo)).resolve().parts]
    some = np.random.default_rng(0).permutation(like)[: len(faces.held_out)]
    cosine = {}
    for name, photos in {"trained": faces.training.take(some).photos, "held_out": faces.held_out.photos}.items():
        cosine[name] = float((embed(photos) * teacher_embeddings(recipe.teacher, photos)).sum(axis=1).mean())
    result = verify(pair_scores(embed(lfw.images), lfw.pairs), lfw.pairs.same, lfw.pairs.folds, people=lfw.pairs.people)
    return {
        "cosine_to_teacher": cosine,
        "held_out": held_out_figures(embed(faces.held_out.photos), faces.held_out),
        "lfw": {"accuracy": result.accuracy_mean, "std": result.accuracy_std},
    }


def held_out_figures(rows, faces):
    """How many people are held out, and the mean AUC over draws of their pairs."""
    areas = []
    for seed in range(DRAWS):
        pairs = sample_pairs(faces.labels, num_pairs=PAIRS, seed=seed, folds=10)
        areas.append(verify(pair_scores(rows, pairs), pairs.same, pairs.folds).auc)
    return {"people": len(faces.names), "photos": len(faces), "auc": float(np.mean(areas))}


def render():
    """Writes the page and its figure."""
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    save(drawn(result), HERE / "figures" / "distilling.png")
    PAGE.write_text(page(result), encoding="utf-8")


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "train":
        train_share(*(Path(argument).resolve() for argument in arguments[:3]), arguments[3])
    if command == "measure":
        measure(*(Path(argument).resolve() for argument in arguments))
    if command == "longer":
        longer(Path(arguments[0]))
    if command == "render":
        render()
