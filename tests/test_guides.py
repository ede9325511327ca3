"""What the pages tell a reader to type is there: commands and options, names, recipes' fields, sections of pages."""

import copy
import functools
import importlib
import re
import shlex
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
PAGES = sorted([*(ROOT / "docs").glob("*.md"), ROOT / "README.md", ROOT / "examples" / "README.md"])
GUIDES = (
    "index",
    "install",
    "choosing-a-head",
    "data",
    "alignment",
    "recipes",
    "tensorboard",
    "finetuning",
    "evaluation",
)
GUIDES += ("export", "zoo", "galleries", "scaling", "migrating", "privacy", "troubleshooting", "how-it-is-built")
RECIPE = {"name": "a.b", "epochs": 9, "backbone": {"name": "mobilefacenet"}, "head": {"name": "cosface"}}
# Options in prose that belong to other programs.
OTHERS = {"--nodes", "--ntasks-per-node", "--gpus-per-node", "--kill-on-bad-exit", "--logdir", "--host", "--extra"}


def text_of(page):
    return page.read_text(encoding="utf-8")


def guide(name):
    return text_of(ROOT / "docs" / f"{name}.md")


@functools.cache
def commands():
    """dict of each command's path, ("zoo", "ls"), to its options."""
    from typer.main import get_command

    from kerasface.cli.app import app

    def walk(command, path):
        yield path, {name for parameter in command.params for name in (*parameter.opts, *parameter.secondary_opts)}
        for name, child in getattr(command, "commands", {}).items():
            yield from walk(child, (*path, name))

    found = dict(walk(get_command(app), ()))
    found["launch",] |= found["train",]  # it hands on what it doesn't know
    return found


def written_commands(text):
    """What stands behind `kerasface ` in code, word by word; a placeholder or an ellipsis ends a path."""
    fenced = re.findall(r"^```(?:sh|console)?[^\n]*\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
    lines = [line for block in fenced for line in block.replace("\\\n", " ").splitlines()]
    prose = re.sub(r"^```.*?^```", "", text, flags=re.DOTALL | re.MULTILINE)
    lines += re.findall(r"`([^`]*)`", prose.replace("\n", " "))
    for line in lines:
        if found := re.match(r"(?:\$ |[A-Z_]+=\S+ )?\s*kerasface (?!\|)(.+)", line.split("  #")[0].strip()):
            yield shlex.split(found[1].replace("…", ""))


def whole_commands(text):
    """The lines of code blocks that call kerasface, without what comes before and behind, word by word."""
    fenced = re.findall(r"^ *```(\w*)[^\n]*\n(.*?)^ *```", text, re.DOTALL | re.MULTILINE)
    for line in (
        "\n".join(block for language, block in fenced if language in ("", "sh", "bash", "console"))
        .replace("\\\n", " ")
        .splitlines()
    ):
        if found := re.match(r"(?:\$ |TF_CONFIG=\S* |srun .*)?.*?\bkerasface (?!-)(.+)", line.split(" #")[0].strip()):
            yield shlex.split(found[1])


def parsed(words):
    """Reads a command as its shell would hand it over, and runs nothing; the parser's complaint or None."""
    from typer.main import get_command

    from kerasface.cli.app import app

    command, words = get_command(app), list(words)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    try:
        command.make_context(command.name, words)
    except Exception as error:
        if not hasattr(error, "format_message"):  # which Click's have, whoever carries Click
            raise
        return f"{command.name}: {error.format_message()}"


def problem(words):
    """What is wrong with a written command, or None."""
    path = ()
    while len(path) < len(words) and (*path, words[len(path)]) in commands():
        path = (*path, words[len(path)])
    if not path and not words[0].startswith("--") and words[0] != "COMMAND":
        return f"no command kerasface {words[0]}"
    options = {word.split("=")[0] for word in words[len(path) :] if word.startswith("--")}
    unknown = options - commands()[path] - {"--help", "--install-completion", "--show-completion"}
    return f"kerasface {' '.join(path)} has no option {', '.join(sorted(unknown))}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_exists(page):
    found = [problem(words) for words in written_commands(text_of(page))]
    assert [one for one in found if one] == []


def test_the_check_of_commands_finds_what_is_wrong():
    page = (
        "`kerasface nosuch x`, `kerasface align a b --nosuch`, `kerasface zoo ls`\n```sh\nkerasface zoo --wrong\n```\n"
    )
    assert [problem(words) for words in written_commands(page)] == [
        "kerasface zoo has no option --wrong",
        "no command kerasface nosuch",
        "kerasface align has no option --nosuch",
        None,
    ]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_to_type_is_whole(page):
    found = [parsed(words) for words in whole_commands(text_of(page))]
    assert [one for one in found if one] == []


def test_the_check_of_whole_commands_finds_what_is_wrong():
    page = (
        "```sh\nkerasface plot psi\nkerasface verify a.tflite b.jpg  # and c.jpg\nkerasface align a b --jobs x\n```\n"
    )
    found = [parsed(words) for words in whole_commands(page)]
    assert [one.split(":")[0] for one in found] == ["psi", "verify", "align"]
    for word, message in zip(("--out", "second", "--jobs"), found, strict=True):
        assert word in message.lower()
    assert len([words for name in GUIDES for words in whole_commands(guide(name))]) > 60


def test_the_guides_name_many_commands():
    named = {words[0] for name in GUIDES for words in written_commands(guide(name))}
    assert len(named) > 12
    assert len(list(written_commands(guide("troubleshooting")))) > 20


def test_every_answer_of_troubleshooting_names_what_solves_it():
    answers = guide("troubleshooting").split("\n### ")[1:]
    assert len(answers) > 20
    for answer in answers:
        question, text = answer.split("\n", 1)
        assert re.search(r"kerasface [a-z]|`--[a-z]|KERAS_BACKEND|choosing-a-head\.md|_batch_norm", text), question


@pytest.mark.parametrize("name", GUIDES)
def test_options_in_prose_exist(name):
    options = {option for each in commands().values() for option in each} | OTHERS | {"--install-completion"}
    words = re.findall(r"`(--[a-z][a-z-]*)[^`]*`", guide(name))
    assert [word for word in words if word not in options] == []


@pytest.mark.parametrize("name", GUIDES)
def test_dotted_names_exist(name):
    for dotted in set(re.findall(r"`(kerasface(?:\.\w+)+)(?:\([^`]*\))?`", guide(name))):
        module, *rest = dotted.split(".")
        thing = importlib.import_module(module)
        for part in rest:
            try:
                thing = getattr(thing, part)
            except AttributeError:
                thing = importlib.import_module(f"{thing.__name__}.{part}")


def test_named_files_exist():
    for name in (*GUIDES, "examples"):
        for path in re.findall(r"`((?:zoo|examples|kerasface|docs|tests)/[\w./-]+)`", guide(name)):
            assert (ROOT / path).exists(), f"{name}: {path}"


def recipes(name):
    return [yaml.safe_load(block) for block in re.findall(r"```yaml[^\n]*\n(.*?)```", guide(name), re.DOTALL)]


@pytest.mark.parametrize("name", ["choosing-a-head", "recipes", "migrating"])
def test_recipes_on_pages_are_valid_and_build_their_heads(name):
    from kerasface import heads
    from kerasface.training import Recipe
    from kerasface.training.build import _head

    trees = [tree for tree in recipes(name) if "variants" not in tree]
    assert trees
    for tree in trees:
        without = {"backbone"} if "initial" in tree else {"head"} if "teacher" in tree else set()
        recipe = Recipe.of_tree({**{k: v for k, v in RECIPE.items() if k not in without}, **tree}, name)
        if recipe.head is not None:
            assert isinstance(_head(recipe.head, 100), heads.MarginHead)


def test_the_comparison_on_the_page_is_valid(tmp_path):
    from kerasface.training.comparison import Comparison

    (text,) = re.findall(r"```yaml\n([^`]*variants:.*?)```", guide("recipes"), re.DOTALL)
    (tmp_path / "margins.yaml").write_text(text, encoding="utf-8")
    places = [run.place for run in Comparison.read(tmp_path / "margins.yaml").runs()]
    assert places == ["softmax/seed_1", "cosface/seed_1", "softmax/seed_2", "cosface/seed_2"]


def test_heads_that_the_guide_advises_exist():
    from kerasface import heads

    table = guide("choosing-a-head").split("## Which one")[1].split("## Scale")[0]
    advised = {name for row in table.splitlines() for name in re.findall(r"`(\w+)`", "".join(row.split("|")[2:3]))}
    assert len(advised) > 7
    assert advised <= set(heads.names())


def test_settings_in_prose_are_fields_of_a_recipe():
    from kerasface.training import Recipe
    from kerasface.training.recipe.yaml_file import apply_change

    fields = set(
        re.findall(r"(?:--set |`)((?:head|optimizer|strategy|data|backbone)\.\w+)\b(?!\()", guide("troubleshooting"))
    )
    fields |= set(re.findall(r"`((?:head|optimizer|strategy|data|backbone)\.\w+)", guide("choosing-a-head")))
    assert {"head.chunk_size", "optimizer.accumulation", "strategy.sync_batch_norm"} <= fields
    values = {"optimizer.clip_norm": 1.0, "optimizer.learning_rate": 0.1, "strategy.sync_batch_norm": "true"}
    for field in fields:
        tree = {**copy.deepcopy(RECIPE), "optimizer": {"name": "adamw", "learning_rate": 0.1}}
        apply_change(tree, f"{field}={values.get(field, 2)}")
        Recipe.of_tree(tree, field)
