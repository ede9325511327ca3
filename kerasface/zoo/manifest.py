"""The zoo's manifest: which embedders a base holds, what is known of them, and their files by sha256."""

import dataclasses
import json
import re
from pathlib import PurePosixPath

from kerasface.errors import KerasfaceError
from kerasface.spec import EmbedderSpec

__all__ = ["AT_THRESHOLD", "MANIFEST", "Figure", "Manifest", "ZooFile", "ZooModel", "is_name"]

MANIFEST = "manifest.json"
# What follows "FAR" and "TAR" in the metrics that tell how a calibrated threshold does on other people.
AT_THRESHOLD = " at the threshold for FAR "

_VERSION = 1
_NAME = re.compile(r"[a-z0-9]+(_[a-z0-9]+)*\.[a-z0-9]+(_[a-z0-9]+)*")
_FORMAT = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclasses.dataclass(frozen=True)
class Figure:
    """A measured number.

    Args:
        benchmark: the set, with the part of it.
        format: of the file that it was measured on, as in `ZooModel.files`.
        metric: "accuracy", "auc", "TAR@FAR 1e-2".
        value: of the metric.
        protocol: folds, flip, where the threshold comes from.
        low, high: 95 % interval by identity; None where there is none.
        std: standard deviation over the protocol's folds; None where it has none.
    """

    benchmark: str
    format: str
    metric: str
    value: float
    protocol: str
    low: float | None = None
    high: float | None = None
    std: float | None = None


@dataclasses.dataclass(frozen=True)
class ZooFile:
    """One artefact.

    Args:
        path: relative to the base, with forward slashes.
        size: in bytes.
        sha256: hexadecimal.
        spec: `EmbedderSpec` with the thresholds calibrated on this very file.
    """

    path: str
    size: int
    sha256: str
    spec: EmbedderSpec

    def __post_init__(self):
        # What a manifest names is joined to the cache's folder: it must stay in it, on every system.
        parts = PurePosixPath(self.path).parts
        inside = parts and not self.path.startswith("/") and ".." not in parts and not set(self.path) & set('\\:*?"<>|')
        _check(inside and self.path.isprintable(), "a relative path inside the zoo", f"path={self.path!r}")
        _check(isinstance(self.size, int) and self.size > 0, "a size in bytes", f"size={self.size!r}")
        _check(_SHA256.fullmatch(self.sha256), "a sha256 of 64 hexadecimal digits", f"sha256={self.sha256!r}")


@dataclasses.dataclass(frozen=True)
class ZooModel:
    """An embedder of the zoo.

    Args:
        name: `architecture.head_data`, or with `_variant`.
        files: `ZooFile`s by format: "keras", "tflite-fp16", "tflite-int8", "onnx", …
        training_data: what the weights have seen.
        licence_code, licence_weights, licence_data: the three terms; those of the weights bind whoever uses them.
        recipe: of the training, a file of the repository, or the origin of imported weights.
        date: ISO, of the build.
        library_version: that built it.
        figures: measured, see `Figure`.
        card: relative path of the model card; None where there is none.
        licence_file: relative path of the weights' licence; None where there is none.
        parameters: trained ones of the network; None where nobody counted.
    """

    name: str
    files: dict[str, ZooFile] = dataclasses.field(repr=False)
    training_data: str
    licence_code: str
    licence_weights: str
    licence_data: str
    recipe: str
    date: str
    library_version: str
    figures: tuple[Figure, ...] = dataclasses.field(default=(), repr=False)  # hundreds of lines in a prompt
    card: str | None = None
    licence_file: str | None = None
    parameters: int | None = None

    def __post_init__(self):
        _check(is_name(self.name), "a name such as mobilefacenet.arcface_celeba", f"name={self.name!r}")
        _check(self.files, "one file or more", "none")
        for name, file in self.files.items():
            _check(_FORMAT.fullmatch(name), "a format such as tflite-fp16", f"{name!r}")
            _check(file.spec.name == self.name, f"the spec of {self.name}", f"that of {file.spec.name}")
        identities = {file.spec.embedder_id for file in self.files.values()}
        _check(len(identities) == 1, "one embedder_id in all files", ", ".join(sorted(identities)))

    @property
    def spec(self):
        """The `EmbedderSpec` of the first file; only thresholds differ between files."""
        return next(iter(self.files.values())).spec


@dataclasses.dataclass(frozen=True)
class Manifest:
    """What a base holds.

    Args:
        models: `ZooModel`s by name.
    """

    models: dict[str, ZooModel]

    def to_json(self):
        """Returns the manifest as a JSON text with sorted keys."""
        models = {}
        for name, model in sorted(self.models.items()):
            fields = dataclasses.asdict(model)
            del fields["name"]
            for file, entry in model.files.items():
                fields["files"][file]["spec"] = json.loads(entry.spec.to_json())
            models[name] = fields
        return json.dumps({"format": _VERSION, "models": models}, indent=1, sort_keys=True, ensure_ascii=False) + "\n"

    @classmethod
    def from_json(cls, content, source):
        """Reads what `to_json` wrote.

        Args:
            content: JSON, as text or as bytes in UTF-8.
            source: what messages call it, its path or address.

        Raises:
            KerasfaceError: another format, a field that is missing, unknown or impossible; it is named.
        """
        where = str(source)
        try:
            tree = json.loads(content)
            version = tree["format"]
            if version != _VERSION:
                raise KerasfaceError(
                    f"{source} is a manifest of format {version}, this kerasface reads {_VERSION}: upgrade kerasface."
                )
            models = {}
            for name, fields in tree["models"].items():
                where = f"{source}, {name}"
                models[name] = _model(name, fields)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise KerasfaceError(f"{where}: not a zoo's manifest: {_reason(error)}") from error
        return cls(models)


def is_name(text):
    """Says whether a text could be an embedder's name, `architecture.head_data`."""
    return _NAME.fullmatch(text) is not None


def _model(name, fields):
    files = {
        file: ZooFile(**{**entry, "spec": EmbedderSpec.from_json(json.dumps(entry["spec"]))})
        for file, entry in fields["files"].items()
    }
    figures = tuple(Figure(**figure) for figure in fields.get("figures", ()))
    return ZooModel(name=name, **{**fields, "files": files, "figures": figures})


def _reason(error):
    return f"missing field {error}" if isinstance(error, KeyError) else str(error)


def _check(condition, expected, received):
    if not condition:
        raise ValueError(f"expected {expected}. Received: {received}")
