"""zoo/README.md, one table of all models and recipes, from the manifest and recipes, and the short one of README."""

from pathlib import Path

from kerasface.edge.atomic import write_atomically
from kerasface.training.recipe.recipe import Recipe
from kerasface.zoo.bases import Base
from kerasface.zoo.workshop.card_tables import percent
from kerasface.zoo.workshop.figures import representation
from kerasface.zoo.workshop.terms import data_sets_in

__all__ = ["README_MARKS", "page", "summary", "write_page"]

README_MARKS = ("<!-- zoo: begin (python zoo/render.py writes it) -->", "<!-- zoo: end -->")

_HEAD = (
    *("model", "network", "parameters", "trained on", "LFW, face alone", "LFW, with mirror image"),
    *("thresholds at FAR", "files", "licence of the weights", "recipe"),
)


def write_page(checkout):
    """Writes `zoo/README.md` of a checkout, and its README's table, from its package's manifest and its `zoo/recipes`.

    Args:
        checkout: root of the source tree.
    """
    checkout = Path(checkout)
    models = Base(checkout / "kerasface" / "zoo" / "shipped").manifest().models
    text = page(models, sorted((checkout / "zoo" / "recipes").glob("*.yaml")))
    write_atomically(checkout / "zoo" / "README.md", text.encode(), mode=0o644)
    front = checkout / "README.md"
    if front.is_file():
        before, rest = front.read_text(encoding="utf-8").split(README_MARKS[0])
        after = rest.split(README_MARKS[1])[1]
        text = f"{before}{README_MARKS[0]}\n{summary(models)}\n{README_MARKS[1]}{after}"
        write_atomically(front, text.encode(), mode=0o644)


def summary(models):
    """Returns the short table that the project's README carries, in Markdown.

    Args:
        models: `ZooModel`s by name.
    """
    lines = ["| model | parameters | LFW | as int8 TFLite | weights |", "|---|---|---|---|---|"]
    for name, model in _best_first(models):
        size = model.files["tflite-int8"].size / 1e6
        lines.append(
            f"| [{name}](zoo/cards/{name}.md) | {model.parameters:,} | {_accuracy(model, 'the face alone')} | "
            f"{size:.2f} MB | {model.licence_weights} |"
        )
    return "\n".join(lines)


def page(models, recipes):
    """Returns the Markdown.

    Args:
        models: `ZooModel`s by name.
        recipes: paths of the recipes' files; those of comparisons (`compare_*`) are listed below the table.
    """
    single = {path: Recipe.read(path) for path in recipes if not path.name.startswith("compare_")}
    by_name = {recipe.name: (path, recipe) for path, recipe in single.items()}
    rows = [_built(model, *by_name.get(name, (None, None))) for name, model in _best_first(models)]
    rows += [_untrained(path, recipe) for path, recipe in single.items() if recipe.name not in models]
    return "\n".join(
        [
            "# The zoo",
            "",
            "Written by `kerasface zoo build` and `python zoo/render.py` from the manifest; not by hand. Models in the "
            "first rows are in the package: `kerasface zoo ls`. Accuracies are of the Keras file, with 95 % intervals "
            "by resampling people; each model's card has all files and protocols.",
            "",
            *(f"| {' | '.join(line)} |" for line in (_HEAD, ["---"] * len(_HEAD), *rows)),
            "",
            "Comparisons of several recipes, for `kerasface compare`: "
            + ", ".join(f"[{path.stem}](recipes/{path.name})" for path in recipes if path.name.startswith("compare_"))
            + ".",
            "",
        ]
    )


def _built(model, path, recipe):
    files = ", ".join(f"{format} {file.size / 1e6:.2f} MB" for format, file in sorted(model.files.items()))
    rates = sorted({entry.far for entry in model.files["keras"].spec.thresholds}, reverse=True)
    return (
        f"[{model.name}](cards/{model.name}.md)",
        "" if recipe is None else _network(recipe),
        f"{model.parameters:,}",
        model.training_data,
        _accuracy(model, "the face alone"),
        _accuracy(model, "the sum"),
        ", ".join(f"{far:g}" for far in rates),
        files,
        model.licence_weights,
        model.recipe if path is None else f"[{path.stem}](recipes/{path.name})",
    )


def _untrained(path, recipe):
    link = f"[{path.stem}](recipes/{path.name})"
    network, data, licence = _network(recipe), recipe.data.description, recipe.data.licence
    is_at_hand = all(one.at_hand for one in data_sets_in(data))
    state = "no weights in the package" if is_at_hand else "not trained here"
    return recipe.name, network, "", data, state, state, "", "", licence, link


def _network(recipe):
    own = recipe.backbone.arguments
    size = "".join(f", {key} {own[key]:g}" for key in ("depth", "width") if key in own)
    return f"{recipe.backbone.name}{size}"


def _best_first(models):
    def rank(entry):
        name, model = entry
        figure = _on_lfw(model, "the face alone")
        return (0.0 if figure is None else -figure.value, name)

    return sorted(models.items(), key=rank)


def _accuracy(model, words):
    figure = _on_lfw(model, words)
    if figure is None:
        return "not measured"
    interval = "" if figure.low is None else f" [{percent(figure.low)}, {percent(figure.high)}]"
    return f"{percent(figure.value)} ± {percent(figure.std)}{interval}"


def _on_lfw(model, words):
    """The Keras file's accuracy on LFW, of embeddings made so; None where it was not measured."""
    for figure in model.figures:
        is_wanted = (figure.benchmark, figure.format, figure.metric) == ("LFW", "keras", "accuracy")
        if is_wanted and representation(figure).startswith(words):
            return figure
    return None
