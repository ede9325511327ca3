"""Pages of the site that are made while it is built: the API from `__all__`, commands and recipes from themselves.

The zoo's table and cards lie outside of docs/, where whoever reads the repository looks for them.
"""

import ast
import importlib
import re
import types
import typing
from pathlib import Path

from mkdocs.structure.files import File

from kerasface.quiet import quiet_standard_error

ROOT = Path(__file__).parents[1]
ROOMS = ("heads", "losses", "backbones", "data", "alignment", "training", "evaluation", "export", "edge", "zoo")
ROOMS += ("plot", "toy", "doctor")
ZOO_PAGE = "embedders.md"


def on_files(files, config):
    """MkDocs' hook: adds the generated pages."""
    with quiet_standard_error():
        importlib.import_module("tensorflow")
    pages = {f"api/{room}.md": api_page(f"kerasface.{room}") for room in ROOMS}
    pages["api/kerasface.md"] = api_page("kerasface")
    pages["commands.md"] = commands_page()
    pages["recipe-fields.md"] = recipe_page()
    for path, text in (pages | zoo_pages()).items():
        files.append(File.generated(config, path, content=text))
    for curve in sorted((ROOT / "zoo" / "cards").glob("*.png")):
        files.append(File.generated(config, f"cards/{curve.name}", abs_src_path=str(curve)))
    return files


def on_page_markdown(markdown, **_):
    """MkDocs' hook: on the site the zoo's table is a page of its own."""
    return markdown.replace("](../zoo/README.md)", f"]({ZOO_PAGE})")


def zoo_pages():
    """The table of the zoo and a page a card; recipes are files of the repository, and no pages."""
    table = (ROOT / "zoo" / "README.md").read_text(encoding="utf-8")
    cards = {f"cards/{card.name}": card.read_text(encoding="utf-8") for card in (ROOT / "zoo" / "cards").glob("*.md")}
    wide = "---\nhide: [toc]\n---\n"
    return {ZOO_PAGE: wide + re.sub(r"\[([^]]+)\]\(recipes/[^)]+\)", r"`\1`", table), **cards}


def api_page(package):
    """A page with every public name of a package, in the order of its `__all__`."""
    folder = ROOT / package.replace(".", "/")
    source = (folder / "__init__.py").read_text(encoding="utf-8")
    parts = [f"# {package}", ast.get_docstring(ast.parse(source)), *registered(package)]
    modules = public_modules(package)
    for name, home in public_names(package).items():
        if home in modules:
            modules.remove(home)
            parts.append(f"In `{home}`:")
        parts.append(f"::: {home}.{name}")
    return "\n\n".join(parts) + "\n"


def registered(package):
    """What a package finds by name, as parts of its page: how, and a table of names."""
    short = package.split(".")[-1]
    if short not in ("heads", "losses", "backbones"):
        return []
    registry = getattr(importlib.import_module(f"{package}._registry"), short)
    importlib.import_module(package)
    rows = [f"| `{name}` | {built_by(registry, name)} |" for name in registry.names()]
    how = f"`{short}.get(name, **arguments)` builds one by its name, as recipes do; `{short}.names()` lists the names."
    if short != "backbones":
        how += f" `@{short}.register(name)` adds yours, as in [example 10](../examples.md#10-your-own-head)."
    return [how, "\n".join(["| name | builds |", "|---|---|", *rows])]


def built_by(registry, name):
    """The call that a registered name stands for."""
    cls, settled = registry._classes[name]
    return f"`{cls.__name__}({', '.join([*(f'{key}={value!r}' for key, value in settled.items()), '…'])})`"


def public_names(package):
    """dict of each public name to the module that has it, of public modules their names; bound methods left out."""
    tree = ast.parse((ROOT / package.replace(".", "/") / "__init__.py").read_text(encoding="utf-8"))
    homes, names = {}, []
    for node in tree.body:
        if isinstance(node, ast.ImportFrom) and node.module.startswith("kerasface."):
            homes.update({alias.asname or alias.name: node.module for alias in node.names})
        elif isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            target = node.targets[0].id
            if target in ("_HOMES", "_CLASSES"):
                homes.update({name: f"{package}.{home}" for name, home in ast.literal_eval(node.value).items()})
            elif target == "__all__":
                names = ast.literal_eval(node.value)
    found = {name: homes[name] for name in names if name in homes}
    for module in public_modules(package):
        found.update(dict.fromkeys(definitions(module), module))
    return found


def public_modules(package):
    """The modules, not rooms, that a package names in its `__all__`."""
    folder = ROOT / package.replace(".", "/")
    tree = ast.parse((folder / "__init__.py").read_text(encoding="utf-8"))
    names = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and node.targets[0].id == "__all__"
    )
    return [f"{package}.{name}" for name in names if (folder / f"{name}.py").is_file()]


def definitions(module):
    """The public classes and functions that a module defines."""
    tree = ast.parse((ROOT / f"{module.replace('.', '/')}.py").read_text(encoding="utf-8"))
    return [
        node.name
        for node in tree.body
        if isinstance(node, ast.ClassDef | ast.FunctionDef) and not node.name.startswith("_")
    ]


def commands_page():
    """Every command with its arguments and options, as `--help` tells them."""
    from typer.main import get_command

    from kerasface.cli.app import app

    parts = ["# Commands", "As `kerasface COMMAND --help` tells them. `kerasface --install-completion` completes them."]
    for path, command in walk(get_command(app), ()):
        help_text = (command.help or "").strip()
        text, _, example = help_text.partition("Example: ")
        parts += [f"## {' '.join(path)}", text.strip()]
        if example:
            parts.append(f"```sh\n{example.strip()}\n```")
        rows = [row(parameter) for parameter in command.params if parameter.name not in ("help",)]
        if rows:
            parts.append("\n".join(["| | | default |", "|---|---|---|", *rows]))
    return "\n\n".join(parts) + "\n"


def walk(command, path):
    """(path, command) of every command without sub-commands."""
    for name, child in getattr(command, "commands", {}).items():
        if hasattr(child, "commands"):
            yield from walk(child, (*path, name))
        else:
            yield (*path, name), child


def row(parameter):
    """A command's parameter as a row of a table."""
    option = parameter.param_type_name == "option"
    names = ", ".join(f"`{name}`" for name in parameter.opts) if option else f"`{parameter.name.upper()}`"
    help_text = (parameter.help or "").replace("|", "&#124;")
    annotation = parameter.type_descriptor.annotation
    choices = typing.get_args(annotation) if typing.get_origin(annotation) is typing.Literal else ()
    if not all(choice in help_text for choice in choices):
        help_text += f" One of {', '.join(choices)}."
    return f"| {names} | {help_text} | {default_of(parameter)} |"


def default_of(parameter):
    """What a parameter is when it isn't given: "needed", its value, or nothing for a flag and for none."""
    if parameter.required:
        return "needed"
    default = parameter.default
    if isinstance(default, list | tuple):
        default = ", ".join(str(getattr(one, "value", one)) for one in default)
    return "" if default is None or default is False or default == "" else f"`{getattr(default, 'value', default)}`"


def recipe_page():
    """Every field of a recipe and of its sections, with its values and default, from the schema itself."""
    from kerasface.training.recipe.recipe import Recipe

    parts = [
        "# Recipe fields",
        "What `kerasface train` checks a recipe against; any other field is an error. What its first fields mean "
        "stands at [Recipe](api/training.md), arguments of [backbones](api/backbones.md), [heads](api/heads.md) and "
        "[losses](api/losses.md) beside their names. How to write one: [training recipes](recipes.md).",
        field_table(Recipe),
    ]
    for name, field in Recipe.model_fields.items():
        for section in sections_of(field.annotation):
            kind = section.model_fields.get("name")
            which = f" {{name: {typing.get_args(kind.annotation)[0]}}}" if kind and name != "strategy" else ""
            inherited = [base.__doc__ for base in section.__mro__[1:3] if base.__name__.startswith("_")]
            text = "\n\n".join(docstring_text(doc) for doc in (section.__doc__, *inherited) if doc)
            text = text or f"See [{name}](data.md#{name})."
            parts += [f"## {name}{which}", text, field_table(section)]
    return "\n\n".join(parts) + "\n"


def docstring_text(doc):
    """A docstring's paragraphs before its first section."""
    lines = [line.strip() for line in doc.strip().splitlines()]
    ends = [number for number, line in enumerate(lines) if line in ("Args:", "Example:", "Reference:")]
    return "\n".join(lines[: ends[0]] if ends else lines).strip()


def sections_of(annotation):
    """The sections that a field's value may be."""
    from kerasface.training.recipe.section import Section

    if isinstance(annotation, type) and issubclass(annotation, Section):
        return [annotation]
    return [section for part in typing.get_args(annotation) for section in sections_of(part)]


def field_table(section):
    """A table of a section's fields."""
    rows = []
    for name, field in sorted(section.model_fields.items(), key=lambda item: item[0] != "name"):
        inside = sections_of(field.annotation)
        values = "a section, below" if inside else values_of(field.annotation, field.metadata)
        default = "needed" if field.is_required() else yaml_like(field.default)
        rows.append(f"| `{name}` | {values} | {default} |")
    return "\n".join(["| field | values | default |", "|---|---|---|", *rows])


def yaml_like(value):
    """A default as YAML would have it; of a section its name, where it has one."""
    if hasattr(type(value), "model_fields"):
        return f"`{{name: {value.name}}}`" if hasattr(value, "name") else ""
    return f"`{ {None: 'null', (): '[]'}.get(value, value) }`"


def values_of(annotation, metadata=()):
    """A field's type and limits in words."""
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Annotated:
        return values_of(
            arguments[0], [limit for one in annotation.__metadata__ for limit in getattr(one, "metadata", ())]
        )
    if origin is typing.Literal:
        return " or ".join(f"`{one}`" for one in arguments)
    if origin in (typing.Union, types.UnionType):
        return values_of(next(one for one in arguments if one is not type(None)), metadata) + ", or `null`"
    if origin is tuple:
        return f"list of: {values_of(arguments[0])}"
    words = {bool: "true or false", int: "whole number", float: "number", str: "text"}
    limits = [
        f"{sign} {getattr(limit, key):g}"
        for limit in metadata
        for key, sign in (("ge", "≥"), ("gt", ">"), ("le", "≤"), ("lt", "<"))
        if hasattr(limit, key)
    ]
    return ", ".join([words.get(annotation, "a registered `name` and its arguments"), *limits])
