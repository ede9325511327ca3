"""One command from a recipe to a model of the zoo: trained, measured, made into files, described, put on its shelf."""

import datetime
import hashlib
import json
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console

from kerasface import __version__
from kerasface.backbones import multiply_adds, parameters
from kerasface.errors import KerasfaceError
from kerasface.evaluation import read_cfp, read_lfw, sample_pairs
from kerasface.progress import progress_bar
from kerasface.quiet import quiet_standard_error
from kerasface.training.measurable import check_measurable
from kerasface.training.recipe.recipe import Recipe
from kerasface.training.run.sameness import changes_between
from kerasface.zoo.manifest import ZooFile, ZooModel, is_name
from kerasface.zoo.workshop.artefacts import make_artefacts
from kerasface.zoo.workshop.card import card
from kerasface.zoo.workshop.figures import benchmark_figures, held_out_figures
from kerasface.zoo.workshop.machine import machine_name
from kerasface.zoo.workshop.record import BuildRecord
from kerasface.zoo.workshop.shelf import LICENCE, check_sizes, put, ship, shipped_folder
from kerasface.zoo.workshop.terms import data_sets_in, teacher_of
from kerasface.zoo.workshop.timing import time_files
from kerasface.zoo.workshop.trained import trained_run

__all__ = ["build"]

# Paths on the machine that trained; what follows them is what matters.
_PATHS = (("teacher", "model"), (None, "initial"))
# An epoch's accuracy, measured again on the float16 weights.
_SAME_ACCURACY = 0.01
# The panel of the curve that shows what the epoch was chosen by.
_PANELS = {"held_out_auc": "validation_auc", "held_out_teacher_cosine": "teacher_cosine"}


def build(
    recipe, data, lfw, out, *, run, photos=(), cfp=None, changes=(), as_it_is=False, checkout=None, console=None
) -> BuildRecord | None:
    """Builds a model of the zoo.

    A run in `run` is taken where it is finished and gone on with where it was interrupted; else it is trained. Its best
    epoch becomes a Keras file in float16 and, from those weights, TFLite files in fp16 and int8. Each is measured on
    LFW (and CFP), on the held-out people, and in time; thresholds are chosen with each on the held-out people. What
    came out is one record, from which the card and the manifest are written.

    Args:
        recipe: path of the YAML file.
        data: aligned faces, as `kerasface.training.train` takes them.
        lfw: LFW's folder; for reporting only.
        out: folder to upload, laid out as a base of the zoo: `KERASFACE_ZOO=file:///OUT` reads it. The record is put
            beside the model as NAME.json.
        run: folder of the training run.
        photos: folders of photos without names.
        cfp: CFP's folder with its `Protocol/`; only for a model that has not seen CFP's photos.
        changes: "section.field=value" texts, as those of the run.
        as_it_is: take the best epoch of a run that was stopped early; the card says so.
        checkout: root of the source tree, to put the model into the package as well; None leaves that out.
        console: `rich.console.Console` for the progress.

    Returns:
        `BuildRecord`; None when a signal stopped the training.

    Raises:
        KerasfaceError: before anything is trained: a recipe whose name, data or teacher the zoo can't take, that names
            no backbone, or one that takes faces of another size than the benchmarks'; no LFW or CFP there. After it:
            see `trained_run`, `make_artefacts` and `shelf.ship`. Nothing is put anywhere then.

    Example:
        >>> record = build("zoo/recipes/mobilefacenet_arcface_celeba.yaml", "celeba", "lfw", "upload", run="runs/first")
        >>> record.model.files["tflite-int8"].size
        421000
    """
    console, recipe_path = console or Console(), Path(recipe)
    recipe = Recipe.read(recipe_path, changes)
    if not is_name(recipe.name):
        raise KerasfaceError(f"a model's name is architecture.head_data in small letters. Received: {recipe.name!r}")
    if recipe.backbone is None:  # which the card, the table of the zoo and whoever trains it again read
        raise KerasfaceError(
            f"a recipe of the zoo says which network it trains: give {recipe_path} the backbone section of the recipe "
            f"that {recipe.initial} was trained by."
        )
    data_sets = data_sets_in(recipe.data.description)
    teacher = teacher_of(recipe)
    if checkout is not None:
        shipped_folder(checkout)
    if cfp is not None and "CFP" in {one.name for one in data_sets}:
        raise KerasfaceError(
            f"{recipe.name} is trained on photos of CFP, which says nothing about others: leave CFP out."
        )
    benchmarks = [read_lfw(lfw)]
    if cfp is not None:
        benchmarks += [read_cfp(cfp, "FF"), read_cfp(cfp, "FP")]
    check_measurable(recipe, benchmarks)
    trained = trained_run(recipe, data, run, photos=photos, as_it_is=as_it_is, console=console)
    if trained is None:
        return None
    with tempfile.TemporaryDirectory(prefix="kerasface-") as folder:
        with quiet_standard_error():  # the runtimes' notes; training's answer to Ctrl-C must come through
            record, files = _made(trained, Path(folder), recipe_path, changes, benchmarks, teacher, console)
        if checkout is not None:
            check_sizes(record, checkout)
        put(record, files, out)
        if checkout is not None:
            ship(record, files, checkout)
    return record


def _made(trained, folder, recipe_path, changes, benchmarks, teacher, console):
    """The record, and the files that belong to it by their names."""
    from kerasface.plot import save, training_curve

    recipe, held_out, name = trained.recipe, trained.faces.held_out, trained.recipe.name
    console.print(
        f"{name}: epoch {trained.result.best_epoch} of {trained.result.epochs}; writing and proving its files"
    )
    artefacts, left_out = make_artefacts(
        trained.model,
        folder,
        name=name,
        training_data=recipe.data.description,
        licence=recipe.data.licence,
        held_out=held_out,
    )
    figures = _figures(trained, artefacts, benchmarks, console)
    with progress_bar(console, "timing") as update:
        latency = time_files([one.path for format, one in artefacts.items() if format != "keras"], update)
    backbone = trained.model.backbone
    model = ZooModel(
        name=name,
        files={format: _file(name, one) for format, one in artefacts.items()},
        training_data=recipe.data.description,
        licence_code="Apache-2.0",
        licence_weights=recipe.data.licence,
        licence_data=" ".join(f"{one.name}: {one.terms}" for one in data_sets_in(recipe.data.description)),
        recipe=_in_repository(recipe_path),
        date=datetime.date.today().isoformat(),
        library_version=__version__,
        figures=figures,
        card=f"{name}/{name}.md",
        licence_file=LICENCE,
        parameters=parameters(backbone),
    )
    record = BuildRecord(
        model=model,
        backbone=_plain(recipe)["backbone"],
        multiply_adds=multiply_adds(backbone),
        recipe=_plain(recipe),
        changes=tuple(changes_between(_plain(Recipe.read(recipe_path)), _plain(recipe))),
        teacher=teacher,
        training=_training(trained),
        proofs={
            format: {
                "against": one.against,
                "min_cosine": one.min_cosine,
                "mean_cosine": one.mean_cosine,
                "images_from": one.images_from,
            }
            for format, one in artefacts.items()
        },
        left_out={f"{far:g}": reason for far, reason in left_out.items()},
        latency=latency,
        machine=machine_name(),
    )
    history = trained.result.history
    curve = training_curve(
        {
            "loss": [line["loss"] for line in history],
            _PANELS[recipe.best_by]: [line.get(recipe.best_by) for line in history],
            "learning_rate": [line["learning_rate"] for line in history],
        }
    )
    files = {one.path.name: one.path for one in artefacts.values()}
    files[f"{name}.png"] = save(curve, folder / f"{name}.png")
    for ending, text in (("md", card(record)), ("json", record.to_json())):
        files[f"{name}.{ending}"] = folder / f"{name}.{ending}"
        files[f"{name}.{ending}"].write_text(text, encoding="utf-8")
    return record, files


def _figures(trained, artefacts, benchmarks, console):
    recipe, held_out = trained.recipe, trained.faces.held_out
    settings = recipe.validation
    pairs = sample_pairs(held_out.labels, num_pairs=settings.pairs, seed=recipe.seed, folds=settings.folds)
    on_benchmarks, on_held_out = [], []
    for format, one in artefacts.items():
        for pair_set in benchmarks:
            with progress_bar(console, f"{pair_set.name}, {format}") as update:
                found = benchmark_figures(
                    one.embed, pair_set, format=format, thresholds=one.spec.thresholds, progress=update
                )
            console.print(f"{pair_set.name}, {format}: {found[0].value:.2%} ± {found[0].std:.2%}")
            on_benchmarks += found
        on_held_out += held_out_figures(one.embed, held_out, pairs, format=format)
    measured, known = on_held_out[0].value, trained.result.held_out_accuracy
    if not np.isclose(measured, known, rtol=0, atol=_SAME_ACCURACY):
        raise KerasfaceError(
            f"the run's best epoch has a held-out accuracy of {known:.2%}, its model {measured:.2%}: the model is of "
            "another epoch, or the faces are others than those it was validated with."
        )
    return (*on_benchmarks, *on_held_out)


def _file(name, artefact):
    content = artefact.path.read_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    return ZooFile(f"{name}/{artefact.path.name}", len(content), sha256, artefact.spec)


def _training(trained):
    fields = json.loads(trained.result.to_json())
    del fields["model_path"]
    faces = trained.faces
    return {
        **fields,
        "planned_epochs": trained.planned_epochs,
        "unnamed_photos": len(faces.training) - faces.images,
        "held_out_people": len(faces.held_out.names),
        "held_out_images": len(faces.held_out),
    }


def _plain(recipe):
    """A recipe as a tree, without the folders of the machine that trains."""
    tree = json.loads(recipe.model_dump_json())
    for section, field in _PATHS:
        part = tree if section is None else tree[section]
        if part is not None and part[field] is not None:
            part[field] = part[field].replace("\\", "/").rsplit("/", 1)[-1]
    return tree


def _in_repository(path):
    """How a recipe is called in the repository; one from elsewhere by its name alone."""
    parts = path.resolve().parts[-3:]
    return "/".join(parts) if parts[:2] == ("zoo", "recipes") else path.name
