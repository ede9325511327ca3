"""Pages of the site that are made while it is built: the API from `__all__`, the commands from the app itself."""

import ast
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
ROOMS = ("heads", "losses", "backbones", "data", "alignment", "training", "evaluation", "export", "edge", "zoo")
ROOMS += ("plot", "toy", "doctor")


def on_files(files, config):
    """MkDocs' hook: adds the generated pages."""
    pages = {f"api/{room}.md": api_page(f"kerasface.{room}") for room in ROOMS}
    pages["api/kerasface.md"] = api_page("kerasface")
    pages["commands.md"] = commands_page()
    for path, text in pages.items():
        files.append(File.generated(config, path, content=text))
    return files


def api_page(package):
    """A page with every public name of a package, in the order of its `__all__`."""
    folder = ROOT / package.replace(".", "/")
    source = (folder / "__init__.py").read_text(encoding="utf-8")
    parts = [f"# {package}", ast.get_docstring(ast.parse(source))]
    parts += [f"::: {home}.{name}" for name, home in public_names(package).items()]
    return "\n\n".join(parts) + "\n"


def public_names(package):
    """dict of each public name to the module that has it; modules and registries' bound methods left out."""
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
    return {name: homes[name] for name in names if name in homes}


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
            parts.append("\n".join(["| | |", "|---|---|", *rows]))
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
    return f"| {names} | {(parameter.help or '').replace('|', '&#124;')} |"
