"""Section: what all parts of a recipe are, so that a misspelt field is an error and not a default."""

import difflib
from typing import Annotated

import pydantic
from pydantic import Field

__all__ = ["Fraction", "Named", "Section", "Weighted", "nearest"]

Fraction = Annotated[float, Field(ge=0, le=1)]


class Section(pydantic.BaseModel):
    """Base of a recipe's sections: no unknown fields, no changes, and numbers that are finite.

    Example:
        >>> class Crop(Section):
        ...     size: int = 112
    """

    # `.nan` and `.inf` are numbers to YAML.
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @pydantic.model_validator(mode="wrap")
    @classmethod
    def _names_the_nearest_field(cls, tree, handler):
        try:
            return handler(tree)
        except pydantic.ValidationError as error:
            faults = error.errors()
            for fault in faults:
                if fault["type"] == "extra_forbidden" and len(fault["loc"]) == 1:
                    # Of pydantic's own types, so that the sections around this one can build it anew.
                    hint = nearest(fault["loc"][0], cls.model_fields)
                    fault.update(type="value_error", ctx={"error": f"no such field ({hint})"})
            raise pydantic.ValidationError.from_exception_data(error.title, faults) from None


class Named(pydantic.BaseModel):
    """A registered class and its arguments: `{name: cosface, scale: 64}`."""

    model_config = pydantic.ConfigDict(extra="allow", frozen=True)
    name: str

    @property
    def arguments(self):
        """The fields beside the name, as a dict."""
        return dict(self.model_extra or {})


class Weighted(Named):
    """One of several registered classes whose results are added up: `{name: triplet, margin: 0.2, weight: 0.5}`."""

    weight: Annotated[float, Field(gt=0, allow_inf_nan=False)] = 1.0


def nearest(word, words):
    """Returns which of `words` may have been meant by `word`, else all there are, to put in brackets."""
    close = difflib.get_close_matches(str(word), words, n=1)
    return f"did you mean {close[0]}?" if close else f"there are {', '.join(sorted(words))}"
