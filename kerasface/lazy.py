"""Packages whose names are imported when they are first asked for (PEP 562)."""

import importlib

__all__ = ["lazy"]


def lazy(package, homes, modules=()):
    """Makes a package's `__getattr__` and `__dir__`.

    Args:
        package: its `__name__`.
        homes: dict of name to the module of the package that has it.
        modules: names of the package's own modules and rooms.

    Returns:
        `(__getattr__, __dir__)`.

    Example:
        >>> __getattr__, __dir__ = lazy(__name__, {"FaceModel": "model"})
    """

    def getattr_(name):
        if name in homes:
            return getattr(importlib.import_module(f"{package}.{homes[name]}"), name)
        if name in modules:
            return importlib.import_module(f"{package}.{name}")
        raise AttributeError(f"module {package!r} has no attribute {name!r}")

    return getattr_, lambda: sorted([*homes, *modules])
