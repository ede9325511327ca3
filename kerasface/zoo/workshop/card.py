"""The card of a model that was built here, every number of it out of the build's record."""

from kerasface.zoo.workshop.card_tables import data_table, facts, figure_table, file_table, percent, threshold_table
from kerasface.zoo.workshop.limits import limits

__all__ = ["card"]

_USE = """\
For research and teaching: to compare aligned faces of people who agreed to it, to reproduce the figures below, and as a
start for fine-tuning on photos that you may use. It runs on a phone, a small board or in a browser.
"""

_MISUSE = """\
Not for products or any commercial use: the data forbid it. Not to identify people in public, to follow them, or to
search photos that were collected without consent. Not as the only evidence for who somebody is, and not where a wrong
answer costs somebody access, money, work or liberty: every threshold below accepts strangers at a known rate and
refuses the right person more often. It does not tell a photo of a face from a face. It says nothing about age, origin,
health, character or feelings, and must not be trained to.

Embeddings of faces are biometric data, and can be turned back into pictures of faces: keep them encrypted, delete them
when they are no longer needed, and ask people before you enrol them. Law restricts or forbids their use in many places:
in the European Union Article 9 of the GDPR and the AI Act, in Illinois BIPA. Who uses the weights answers for that.
"""


def card(record):
    """Returns the card's Markdown, in the order of Mitchell et al., Model Cards for Model Reporting, FAT* 2019.

    Args:
        record: `BuildRecord`; the learning curve lies beside the card as NAME.png.
    """
    model, name = record.model, record.model.name
    parts = [
        f"# {name}",
        "Written by `kerasface zoo build` from what it measured; not by hand.",
        facts(record),
        _commands(
            f"kerasface zoo show {name}",
            f"kerasface zoo get {name} --format tflite-int8 --out face.tflite",
            f"kerasface verify {name} ann_1.jpg ann_2.jpg",
        ),
        "## Intended use",
        _USE,
        "## Misuse, consent and law",
        _MISUSE,
        "## Data",
        f"{model.training_data}.",
        data_table(record),
        _data(record),
        "## Training",
        _training(record),
        f"![Training loss, held-out verification and learning rate over the epochs]({name}.png)",
        "## Figures",
        figure_table(record),
        "## Thresholds",
        threshold_table(record),
        "## Files, size and speed",
        file_table(record),
        "## Limits",
        "\n".join(f"- {sentence}" for sentence in limits(record)),
        "## Licence",
        f"Weights: {model.licence_weights}; the text is {model.licence_file}, beside them. Code and card: "
        f"{model.licence_code}.",
        "## Made by",
        _commands(_build_command(record)),
    ]
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"


def _commands(*lines):
    return "\n".join(["```sh", *lines, "```"])


def _data(record):
    training = record.training
    sentences = [
        f"{training['held_out_people']:,} people ({training['held_out_images']:,} photos) were held out of training: "
        "they chose the epoch and the thresholds. LFW chose nothing."
    ]
    if training["unnamed_photos"]:
        sentences.append(
            f"{training['unnamed_photos']:,} of the {training['images']:,} photos trained on have no identity: the "
            "teacher alone says something about them."
        )
    if record.teacher:
        sentences.append(f"The teacher: {record.teacher}.")
    return " ".join(sentences)


def _training(record):
    training, recipe = record.training, record.recipe
    head = "the teacher's embeddings alone" if recipe["head"] is None else _named(recipe["head"])
    if recipe["head"] is not None and recipe["teacher"] is not None:
        head += " beside the teacher's embeddings"
    optimizer = recipe["optimizer"]
    average = "" if optimizer["ema"] is None else f", averaged weights (decay {optimizer['ema']:g})"
    start = "From scratch" if recipe["initial"] is None else f"From the weights of {recipe['initial']}"
    seconds = training["wall_seconds"]
    took = f"{seconds / 3600:.1f} hours" if seconds >= 3600 else f"{seconds / 60:.0f} minutes"
    lines = [
        f"{start} by `{record.model.recipe}`, seed {recipe['seed']}: {_named(record.backbone)}, {head}; "
        f"{optimizer['name']}, highest learning rate {optimizer['learning_rate']:g}, weight decay "
        f"{optimizer['weight_decay']:g}, {recipe['schedule']['name']} schedule{average}; batches of "
        f"{recipe['batch_size']}. {training['epochs']} of {training['planned_epochs']} epochs, {training['steps']:,} "
        f"steps, over {training['images']:,} photos and {training['identities']:,} people with names; {took} of wall "
        f"time with whatever else the machine did, {training['images_per_second']:.0f} images a second at the end.",
        _kept(training),
    ]
    if record.changes:
        lines.append("Differences from the recipe's file: " + "; ".join(f"`{one}`" for one in record.changes) + ".")
    return "\n\n".join(lines)


def _kept(training):
    line = training["history"][training["best_epoch"] - 1]
    kept = (
        f"Epoch {training['best_epoch']} was kept: held-out verification {percent(training['held_out_accuracy'])}, AUC "
        f"{line['held_out_auc']:.4f}"
    )
    cosine = line.get("held_out_teacher_cosine")
    return kept + ("." if cosine is None else f", mean cosine to the teacher {cosine:.4f} on people held out.")


def _named(section):
    arguments = ", ".join(f"{key} {_short(value)}" for key, value in sorted(section.items()) if key != "name")
    return f"{section['name']} ({arguments})" if arguments else section["name"]


def _short(value):
    if isinstance(value, dict):
        return "(" + ", ".join(f"{key} {_short(entry)}" for key, entry in sorted(value.items())) + ")"
    if isinstance(value, list):
        return "×".join(_short(entry) for entry in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _build_command(record):
    photos = " --photos PHOTOS" if record.training["unnamed_photos"] else ""
    early = " --as-it-is" if record.training["epochs"] < record.training["planned_epochs"] else ""
    return f"kerasface zoo build {record.model.recipe} --data FACES{photos} --lfw LFW{early} --ship ."
