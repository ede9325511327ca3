"""The JSON form that every result of this room shares."""

import dataclasses
import json
import types
import typing

import numpy as np

__all__ = ["Result"]


class Result:
    """Base of the frozen dataclasses that measurements return: JSON both ways and nothing else.

    Fields may be numbers, strings, None, tuples, `dict[float, …]` (JSON has only text keys, so the rates are written as
    text and read back as floats), `dict[str, …]`, arrays (written as lists, read back as arrays) and other results.

    Example:
        >>> VerificationResult.from_json(result.to_json()) == result
        True
    """

    def to_json(self) -> str:
        """Returns the result as a JSON text, keys sorted, so that equal results give equal texts."""
        # A NaN would be no JSON: better to fail here than in the browser that reads the file.
        return json.dumps(_plain(self), sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> typing.Self:
        """Reads what `to_json` wrote.

        Raises:
            ValueError: not a JSON object, or not with this result's fields and their kinds of values.
        """
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ValueError(f"not JSON: {error}. Received: {text[:80]!r}") from error
        try:
            return _result(values, cls)
        except (TypeError, AttributeError) as error:
            raise ValueError(f"not a {cls.__name__}: {error}. Received: {text[:80]!r}") from error


def _plain(value):
    if isinstance(value, Result):
        return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}  # type: ignore[arg-type]
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {key if isinstance(key, str) else repr(float(key)): _plain(entry) for key, entry in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(entry) for entry in value]
    return value


def _result(values, kind):
    fields = {field.name: field.type for field in dataclasses.fields(kind)}
    if not isinstance(values, dict) or set(values) != set(fields):
        expected = ", ".join(sorted(fields))
        received = f"an object with {', '.join(sorted(values))}" if isinstance(values, dict) else repr(values)[:80]
        raise ValueError(f"a {kind.__name__} is a JSON object with {expected}. Received: {received}")
    return kind(**{name: _typed(value, fields[name]) for name, value in values.items()})


def _typed(value, kind):
    if value is None:
        return None
    inner = typing.get_args(kind)
    if isinstance(kind, types.UnionType):
        kind = next(choice for choice in inner if choice is not types.NoneType)
        inner = typing.get_args(kind)
    origin = typing.get_origin(kind) or kind
    if origin is np.ndarray:
        return np.asarray(value)
    if origin is dict:
        key, entry_kind = inner
        return {(float(name) if key is float else name): _typed(entry, entry_kind) for name, entry in value.items()}
    if origin is tuple:
        kinds = inner if Ellipsis not in inner else (inner[0],) * len(value)
        return tuple(_typed(entry, entry_kind) for entry, entry_kind in zip(value, kinds, strict=True))
    if isinstance(origin, type) and issubclass(origin, Result):
        return _result(value, origin)
    return value
