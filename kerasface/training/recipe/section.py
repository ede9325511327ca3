"""Section: what all parts of a recipe are, so that a misspelt field is an error and not a default."""

from typing import Annotated

import pydantic
from pydantic import Field

__all__ = ["Fraction", "Named", "Section", "Weighted"]

Fraction = Annotated[float, Field(ge=0, le=1)]


class Section(pydantic.BaseModel):
    """Base of a recipe's sections: no unknown fields, no changes, and numbers that are finite.

    Example:
        >>> class Crop(Section):
        ...     size: int = 112
    """

    # `.nan` and `.inf` are numbers to YAML.
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


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
