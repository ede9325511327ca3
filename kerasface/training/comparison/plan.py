"""Comparison: a YAML file of one recipe and what its variants change in it."""

import copy
import dataclasses
from typing import Annotated, Any

import pydantic
from pydantic import Field

from kerasface.errors import KerasfaceError
from kerasface.training.recipe.recipe import Recipe
from kerasface.training.recipe.section import Section
from kerasface.training.recipe.yaml_file import apply_change, complaints, read_tree, set_field

__all__ = ["Comparison", "PlannedRun"]

Word = Annotated[str, Field(pattern=r"^[a-z0-9_]+$")]


def _distinct(seeds):
    if len(set(seeds)) != len(seeds):
        raise ValueError("a seed twice would be the same run twice")
    return seeds


Seeds = Annotated[tuple[int, ...], Field(min_length=1), pydantic.AfterValidator(_distinct)]


class Variant(Section):
    """What one variant changes.

    `title` is its name in tables, `changes` what it puts into the recipe, "section.field" to value; `seeds` stand in
    for the comparison's.
    """

    title: Annotated[str, Field(min_length=1)]
    changes: Annotated[dict[str, Any], Field(min_length=1)]
    seeds: Seeds | None = None


@dataclasses.dataclass(frozen=True)
class PlannedRun:
    """One run of a comparison.

    Args:
        variant: its word in the file.
        title: its name in tables.
        recipe: `Recipe`, the seed in it.
    """

    variant: str
    title: str
    recipe: Recipe

    @property
    def place(self):
        """Where it lies below the comparison's folder."""
        return f"{self.variant}/seed_{self.recipe.seed}"


class Comparison(Section):
    """Variants of one recipe.

    Args:
        name: a word: the runs' models are called `variant.name`.
        seeds: of every variant that doesn't say others; one run each. A seed decides the held-out people, the order
            and the first weights; all variants see the same ones.
        recipe: fields of a `Recipe`, of every run; without name and seed, as are changes.
        variants: by a word each, in the order in which they run: the first seed of all, then the second, …

    Example:
        >>> comparison = Comparison.read("zoo/recipes/compare_heads_celeba.yaml")
        >>> [run.place for run in comparison.runs()][:2]
        ['softmax/seed_1', 'modified_softmax/seed_1']
    """

    name: Word
    seeds: Seeds = (0,)
    recipe: dict[str, Any]
    variants: Annotated[dict[Word, Variant], Field(min_length=1)]

    @classmethod
    def read(cls, path, changes=()):
        """Reads a YAML file, and checks the recipe of every run.

        Args:
            path: of the file.
            changes: "section.field=value" texts for the recipe of all runs; a variant's own changes come after them.

        Raises:
            KerasfaceError: no such file, not YAML, or a field that is missing, unknown or out of range; it is named. A
                change that every variant replaces.
        """
        tree = read_tree(path, "name, recipe and variants")
        if "variants" not in tree and "backbone" in tree:
            raise KerasfaceError(f"{path} is one recipe, without variants: give it to `kerasface train`.")
        try:
            comparison = cls.model_validate(tree)
        except pydantic.ValidationError as error:
            raise KerasfaceError("\n  ".join([f"{path} is not a valid comparison:", *complaints(error)])) from error
        for change in changes:
            comparison._check_has_effect(change.partition("=")[0], path)
            apply_change(comparison.recipe, change)
        comparison.runs(path)
        return comparison

    def runs(self, where="the comparison"):
        """Lists the runs, all variants with their first seed before any with its second.

        Args:
            where: the file, for messages.

        Raises:
            KerasfaceError: what a variant changes makes no valid recipe.
        """
        rounds = max(len(variant.seeds or self.seeds) for variant in self.variants.values())
        return [
            self._run(word, variant, (variant.seeds or self.seeds)[turn], where)
            for turn in range(rounds)
            for word, variant in self.variants.items()
            if turn < len(variant.seeds or self.seeds)
        ]

    def _check_has_effect(self, key, where):
        if all(any(f"{key}.".startswith(f"{theirs}.") for theirs in one.changes) for one in self.variants.values()):
            raise KerasfaceError(
                f"every variant of {where} replaces {key}, so that --set {key} changes none: change it in the file's "
                "variants."
            )

    def _run(self, word, variant, seed, where):
        tree = copy.deepcopy(self.recipe)
        for key, value in variant.changes.items():
            set_field(tree, key, copy.deepcopy(value))
        if settled := sorted({"name", "seed"} & tree.keys()):
            raise KerasfaceError(
                f"{where}: {word}: a comparison's recipe and changes are without name and seed: seeds come from "
                f"`seeds`, the file's or a variant's, names from the variants' words. Received: {', '.join(settled)}"
            )
        recipe = Recipe.of_tree({**tree, "name": f"{word}.{self.name}", "seed": seed}, f"{where}: {word}")
        return PlannedRun(word, variant.title, recipe)
