"""What a build has seen that its model can't do."""

from kerasface.zoo.workshop.card_tables import percent
from kerasface.zoo.workshop.figures import representation
from kerasface.zoo.workshop.terms import data_sets_in

__all__ = ["limits"]


def limits(record):
    """Returns the sentences of a card about what bounds the model, from what the build measured.

    Args:
        record: `BuildRecord`.
    """
    training, sentences = record.training, []
    if training["epochs"] < training["planned_epochs"]:
        sentences.append(
            f"Training was stopped after {training['epochs']} of {training['planned_epochs']} epochs: the learning "
            "rate had not come down, and more time would make a better model."
        )
    if training["best_epoch"] == training["epochs"]:
        sentences.append("The last epoch was the best on people held out: more time might help.")
    sentences += _strictness(record)
    sentences += _rounding(record)
    unknown = [one.name for one in data_sets_in(record.model.training_data) if "unknown" in one.lfw]
    if unknown:
        sentences.append(
            f"Whether LFW's people are in {', '.join(unknown)} is unknown; the LFW figures may profit from it."
        )
    return [
        *sentences,
        f"Thresholds rest on {training['held_out_people']:,} people, who also chose the epoch; other people, cameras "
        "and light have other rates.",
        "Measured on photos of celebrities, adults almost all of them, most taken from the front. Accuracy by age, sex "
        "or origin was not measured: the protocols in use have no such labels.",
        "Faces must be aligned to the template by five points; profiles, masks, small and blurred faces were not "
        "measured apart.",
    ]


def _strictness(record):
    """What the strictest rate that was measured costs."""
    rates = [
        figure
        for figure in record.model.figures
        if figure.benchmark == "LFW"
        and figure.format == "keras"
        and figure.metric.startswith("TAR@FAR")
        and representation(figure) == "the face alone"
    ]
    if not rates:
        return []
    strictest = rates[-1]
    return [
        f"On LFW, at {strictest.metric.removeprefix('TAR@')}, {percent(1 - strictest.value)} of the right people are "
        "refused."
    ]


def _rounding(record):
    """What the smaller files cost on LFW."""
    accuracy = {
        figure.format: figure.value
        for figure in record.model.figures
        if (figure.benchmark, figure.metric, representation(figure)) == ("LFW", "accuracy", "the face alone")
    }
    whole = accuracy.pop("keras", None)
    if whole is None or not accuracy:
        return []
    costs = ", ".join(f"{format} {100 * (value - whole):+.2f}" for format, value in sorted(accuracy.items()))
    return [f"LFW accuracy of the other files against the Keras file, in points: {costs}."]
