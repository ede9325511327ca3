"""A YAML file of experiments as a tree, changes to its fields, and what is wrong with them in the file's own words."""

from pathlib import Path
from typing import Any

import yaml

from kerasface.errors import KerasfaceError

__all__ = ["apply_change", "complaints", "read_tree", "set_field"]


def read_tree(path, fields):
    """Reads a YAML file that must be a mapping.

    Args:
        path: of the file.
        fields: some that it should have, for the message.

    Raises:
        KerasfaceError: no such file, not YAML, or no mapping.
    """
    path = Path(path)
    try:
        tree = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise KerasfaceError(f"no recipe {path}: {error.strerror}. The project's own lie in zoo/recipes.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise KerasfaceError(f"{path} is not YAML: {error}") from error
    if not isinstance(tree, dict):
        raise KerasfaceError(f"{path} is not a recipe: expected fields such as {fields}.")
    return tree


def apply_change(tree, change):
    """Carries out a "section.field=value" text; the value is YAML.

    Raises:
        KerasfaceError: no such text, or a section that is none.
    """
    key, equals, value = change.partition("=")
    if not equals:
        raise KerasfaceError(f"a change to a recipe reads section.field=value. Received: {change!r}")
    set_field(tree, key, _scalar(value), change)


def set_field(tree, key, value, said=None):
    """Puts a value into a tree at "section.field", making sections where there are none.

    Args:
        tree: dict, changed in place.
        key: the sections and the field, joined by dots.
        value: anything.
        said: how the user put it, for the message.

    Raises:
        KerasfaceError: no field, or a section that is none.
    """
    if not all(key.split(".")):
        raise KerasfaceError(f"a change to a recipe names a field, such as head.margin. Received: {(said or key)!r}")
    *sections, field = key.split(".")
    for section in sections:
        tree = tree.setdefault(section, {})
        if not isinstance(tree, dict):
            raise KerasfaceError(f"{section} is not a section of the recipe. Received: {(said or key)!r}")
    tree[field] = value


def complaints(error, chosen=frozenset()):
    """One line for each thing wrong, beginning with the field as the file has it.

    Args:
        error: `pydantic.ValidationError`.
        chosen: (field, level) pairs where pydantic puts the name of the chosen kind into the path, and the file has no
            such level.
    """
    for fault in error.errors():
        levels = [str(part) for level, part in enumerate(fault["loc"]) if (fault["loc"][0], level) not in chosen]
        given = fault["input"]
        if fault["type"] == "union_tag_invalid":
            levels, given = [*levels, "name"], fault["ctx"]["tag"]
        received = f"the fields {', '.join(map(str, given))}" if isinstance(given, dict) else repr(given)
        yield ": ".join([part for part in (".".join(levels), _words(fault)) if part]) + f". Received: {received}"


def _words(fault):
    """What was expected, in the words of YAML; pydantic's are of Python."""
    match fault["type"]:
        case "tuple_type" | "list_type":
            return "must be a list, such as [one, another]"
        case "model_type" | "dict_type":
            return "must be a section of fields, such as {field: value}"
        case "union_tag_invalid":
            return f"must be one of {fault['ctx']['expected_tags']}"
        case "union_tag_not_found":
            return "must have a name"
    return fault["msg"].removeprefix("Value error, ").replace("Input should be", "must be", 1)


def _scalar(text) -> Any:
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise KerasfaceError(f"not a YAML value: {text!r} ({error})") from error
