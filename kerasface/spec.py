"""EmbedderSpec: the one truth about an embedder. Imported by everything, imports nothing of ours."""

import dataclasses
import json
import math

__all__ = ["SPEC_KEY", "EmbedderSpec", "Threshold"]

# The name under which the spec's JSON stands in TFLite's metadata and in ONNX's metadata_props.
SPEC_KEY = "kerasface.EmbedderSpec"

_FORMAT = 1
_COLOR_ORDERS = ("rgb", "bgr")
_TEMPLATES = ("arcface_112x112", "arcface_112x96", "none")
_FLIPS = ("none", "sum", "concatenate")


@dataclasses.dataclass(frozen=True)
class Threshold:
    """The cosine from which two faces count as one person, and where that number comes from.

    Args:
        cosine: the threshold in [-1, 1]; a pair is accepted when its cosine is at least this.
        far: false accept rate (ISO/IEC 19795: FMR) it was chosen for, in (0, 1).
        calibrated_on: name of the set whose impostor pairs gave it.
        precision: of the file it was measured on: "fp32", "fp16", "int8", …
        impostor_pairs: how many impostor pairs the set has.
        far_upper: 95 % upper confidence bound of the rate at this cosine, see `evaluation.calibrate`; None in specs
            written before there was one.
    """

    cosine: float
    far: float
    calibrated_on: str
    precision: str
    impostor_pairs: int
    far_upper: float | None = None

    def __post_init__(self):
        _check(-1 <= self.cosine <= 1, "cosine in [-1, 1]", f"cosine={self.cosine}")
        _check(0 < self.far < 1, "far in (0, 1)", f"far={self.far}")


@dataclasses.dataclass(frozen=True)
class EmbedderSpec:
    """What must be known about an embedder to feed it and to compare what it gives.

    It travels in the model card, the TFLite metadata and the ONNX metadata; the edge runtime obeys it.

    Args:
        name: `architecture.head_data`, as the zoo names it.
        embedder_id: hash over canonical weights and preprocessing; the same in every file exported from one model.
            Embeddings with different ids must never be compared.
        embedding_size: D.
        input_height, input_width: in pixels.
        color_order: "rgb" or "bgr", of the pixels that the *network* was trained on; exported files take RGB and
            reorder inside.
        mean, std: the network sees `(pixel - mean) / std`, pixel in 0…255, per channel in the network's own order; a
            single number stands for all three. Exported files do it inside.
        template: the five-point template of the aligned crops.
        flip: how a face and its mirror image are joined at test time: "none", "sum" or "concatenate".
        metric: always "cosine" so far.
        thresholds: calibrated `Threshold`s, by falling far.
        training_data: what the weights have seen.
        licence: of the weights.
        library_version: kerasface's version that wrote this.

    Example:
        >>> spec = EmbedderSpec(name="mobilefacenet.arcface_celeba", embedder_id="3f…", embedding_size=128)
        >>> EmbedderSpec.from_json(spec.to_json()) == spec
        True
    """

    name: str
    embedder_id: str
    embedding_size: int
    input_height: int = 112
    input_width: int = 112
    color_order: str = "rgb"
    mean: tuple[float, float, float] = (127.5, 127.5, 127.5)
    std: tuple[float, float, float] = (127.5, 127.5, 127.5)
    template: str = "arcface_112x112"
    flip: str = "none"
    metric: str = "cosine"
    thresholds: tuple[Threshold, ...] = ()
    training_data: str = "unknown"
    licence: str = "unknown"
    library_version: str = "unknown"

    def __post_init__(self):
        for field in ("mean", "std"):
            value = getattr(self, field)
            triple = (value,) * 3 if isinstance(value, int | float) else tuple(value)
            _check(len(triple) == 3, f"{field} of 1 or 3 numbers", f"{field}={value}")
            object.__setattr__(self, field, tuple(float(v) for v in triple))
        _check(all(math.isfinite(v) for v in self.mean), "a finite mean", f"mean={self.mean}")
        _check(all(v > 0 and math.isfinite(v) for v in self.std), "std > 0", f"std={self.std}")
        _check(self.embedding_size > 0, "embedding_size > 0", f"embedding_size={self.embedding_size}")
        _check(min(self.input_height, self.input_width) > 0, "a positive input size", f"{self.input_shape}")
        _check(self.color_order in _COLOR_ORDERS, f"color_order in {_COLOR_ORDERS}", self.color_order)
        _check(self.template in _TEMPLATES, f"template in {_TEMPLATES}", self.template)
        _check(self.flip in _FLIPS, f"flip in {_FLIPS}", self.flip)
        _check(self.metric == "cosine", "metric 'cosine'", self.metric)
        thresholds = [t if isinstance(t, Threshold) else Threshold(**t) for t in self.thresholds]
        thresholds.sort(key=lambda t: -t.far)
        object.__setattr__(self, "thresholds", tuple(thresholds))

    @property
    def input_shape(self):
        """(height, width, 3)."""
        return (self.input_height, self.input_width, 3)

    def replace(self, **changes):
        """Returns a copy with some fields changed."""
        return dataclasses.replace(self, **changes)

    def to_json(self):
        """Returns the spec as a JSON text, keys sorted, so that equal specs give equal texts."""
        return json.dumps({"format": _FORMAT, **dataclasses.asdict(self)}, sort_keys=True)

    @classmethod
    def from_json(cls, text):
        """Reads what `to_json` wrote.

        Raises:
            ValueError: not JSON, a newer format, a missing or an unknown field.
        """
        try:
            fields = json.loads(text)
            version = fields.pop("format")
        except (ValueError, KeyError, AttributeError, TypeError) as error:
            raise ValueError(f"not an EmbedderSpec: expected its JSON object. Received: {text[:80]!r}") from error
        _check(
            version == _FORMAT, f"format {_FORMAT} (a newer kerasface wrote this file: upgrade)", f"format={version}"
        )
        try:
            return cls(**fields)
        except TypeError as error:
            raise ValueError(f"not an EmbedderSpec of format {_FORMAT}: {error}") from error


def _check(condition, expected, received):
    if not condition:
        raise ValueError(f"EmbedderSpec expects {expected}. Received: {received}")
