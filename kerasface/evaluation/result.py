"""The JSON form that every result of this room shares."""

import dataclasses
import json
import typing

import numpy as np

__all__ = ["Result"]


class Result:
    """Base of the frozen dataclasses that measurements return: JSON both ways and nothing else.

    Fields may be numbers, strings, None, tuples, `dict[float, …]` (JSON has only text keys, so the rates are written as
    text and read back as floats) and arrays (written as lists, read back as arrays).

    Example:
        >>> VerificationResult.from_json(result.to_json()) == result
        True
    """

    def to_json(self) -> str:
        """Returns the result as a JSON text, keys sorted, so that equal results give equal texts."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}  # type: ignore[arg-type]
        # A NaN would be no JSON: better to fail here than in the browser that reads the file.
        return json.dumps({name: _plain(value) for name, value in fields.items()}, sort_keys=True, allow_nan=False)

    @classmethod
    def from_json(cls, text: str) -> typing.Self:
        """Reads what `to_json` wrote.

        Raises:
            ValueError: not a JSON object, or not with this result's fields.
        """
        fields = {field.name: field.type for field in dataclasses.fields(cls)}  # type: ignore[arg-type]
        try:
            values = json.loads(text)
        except ValueError as error:
            raise ValueError(f"not JSON: {error}. Received: {text[:80]!r}") from error
        if not isinstance(values, dict) or set(values) != set(fields):
            expected = ", ".join(sorted(fields))
            raise ValueError(f"a {cls.__name__} is a JSON object with {expected}. Received: {text[:80]!r}")
        return cls(**{name: _typed(value, fields[name]) for name, value in values.items()})


def _plain(value):
    if isinstance(value, np.ndarray):
        return value.tolist()
    if isinstance(value, dict):
        return {repr(float(key)): entry for key, entry in value.items()}
    return value


def _typed(value, kind):
    origin = typing.get_origin(kind) or kind
    if origin is np.ndarray:
        return np.asarray(value)
    if origin is dict:
        return {float(key): entry for key, entry in value.items()}
    return tuple(value) if origin is tuple else value
