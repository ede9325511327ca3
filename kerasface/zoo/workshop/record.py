"""BuildRecord: everything that one build measured, the one JSON from which card, manifest and tables are written."""

import dataclasses
import json

from kerasface.errors import KerasfaceError
from kerasface.zoo.manifest import Manifest, ZooModel

__all__ = ["BuildRecord"]

_FORMAT = 1


@dataclasses.dataclass(frozen=True)
class BuildRecord:
    """What is known of a model of the zoo after its build.

    Args:
        model: its entry in the manifest, with all figures and thresholds.
        backbone: name and arguments.
        multiply_adds: of one face.
        recipe: the whole recipe as a tree, paths reduced to file names.
        changes: fields in which it differs from the recipe's file, one line each.
        teacher: what is known of it; None without one.
        training: `TrainingResult` as a tree without its path, and planned_epochs, unnamed_photos, held_out_people,
            held_out_images.
        proofs: by format: against, min_cosine, mean_cosine, images_from.
        left_out: by false accept rate, why it has no threshold.
        latency: `BenchmarkResult` as a tree, files by their names.
        machine: that measured.
    """

    model: ZooModel
    backbone: dict
    multiply_adds: int
    recipe: dict
    changes: tuple[str, ...]
    teacher: str | None
    training: dict
    proofs: dict
    left_out: dict
    latency: dict
    machine: str

    def to_json(self):
        """Returns the record as a JSON text, keys sorted."""
        fields = {field.name: getattr(self, field.name) for field in dataclasses.fields(self)}
        fields["model"] = json.loads(Manifest({self.model.name: self.model}).to_json())
        return json.dumps({"format": _FORMAT, **fields}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, text, source):
        """Reads what `to_json` wrote.

        Args:
            text: JSON.
            source: what messages call it.

        Raises:
            KerasfaceError: something else.
        """
        try:
            fields = json.loads(text)
            if fields.pop("format") != _FORMAT:
                raise ValueError("another format")
            (model,) = Manifest.from_json(json.dumps(fields.pop("model")), source).models.values()
            return cls(model=model, **{**fields, "changes": tuple(fields["changes"])})
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise KerasfaceError(f"{source} is not the record of a build: {error}") from error
