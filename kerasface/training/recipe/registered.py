"""What a recipe says of registered classes, checked when it is read: hours of faces later would be late."""

import math
from typing import Annotated, Any

import pydantic

from kerasface.training.recipe.section import Section, nearest

__all__ = ["checked_by"]


def checked_by(registry, given):
    """Makes a validator of `Named` sections: the class is there, and takes the arguments and what they are.

    A parameter's default tells what it takes; text that is a number to Python, such as 1e-1, which YAML leaves as text,
    becomes one.

    Args:
        registry: `Registry` of the classes.
        given: arguments that don't come from the recipe's section.

    Returns:
        `pydantic.AfterValidator`.
    """

    def check(named):
        if named.name not in registry.names():
            error = (
                f"no such {registry.kind} ({nearest(named.name, registry.names())}; one of your own is known when a "
                "program of yours imports its module and calls kerasface.cli.main())"
            )
            fault = {"type": "value_error", "loc": ("name",), "input": named.name, "ctx": {"error": error}}
            raise pydantic.ValidationError.from_exception_data(named.name, [fault])
        defaults = {key: value for key, value in registry.defaults(named.name).items() if key not in given}
        fields: dict[str, Any] = {key: (_kind(default), None) for key, default in defaults.items()}
        # Not arguments of the class, but what a misspelt one may have meant.
        fields |= dict.fromkeys(type(named).model_fields, (Any, None))
        arguments = pydantic.create_model(named.name, __base__=Section, **fields).model_validate(named.arguments)
        return named.model_copy(update=arguments.model_dump(exclude_unset=True))

    return pydantic.AfterValidator(check)


def _kind(default):
    if isinstance(default, str):
        return str | None
    numeric = isinstance(default, bool | int | float)
    return Annotated[type(default) | None if numeric else Any, pydantic.BeforeValidator(_with_numbers)]


def _with_numbers(value):
    match value:
        case dict():
            return {key: _with_numbers(entry) for key, entry in value.items()}
        case list():
            return [_with_numbers(entry) for entry in value]
        case str():
            try:
                number = float(value)
            except ValueError:
                return value
            return number if math.isfinite(number) else value
    return value
