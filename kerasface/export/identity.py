"""Which embedder a file holds: a hash over weights and preprocessing, and the spec that carries it."""

import hashlib
import json

import numpy as np
from keras import ops

from kerasface import __version__
from kerasface.spec import EmbedderSpec

__all__ = ["embedder_id", "embedder_spec"]

# What changes an embedding without changing a weight. Flip policy and thresholds don't: they are the caller's.
_PREPROCESSING = ("color_order", "embedding_size", "input_height", "input_width", "mean", "std", "template")
_TEMPLATES = {(112, 112): "arcface_112x112", (112, 96): "arcface_112x96"}


def embedder_id(backbone, spec):
    """Hash over canonical weights and preprocessing: the same for every file exported from one model.

    SHA-256 over the spec's preprocessing fields as JSON, then over every weight in the model's own order: its shape,
    and its values as little-endian float32. Names are left out, because Keras numbers them anew in every session; so
    are the file's precision and format, because fp32 and fp16 files of one model embed alike.

    Args:
        backbone: built `keras.Model` or layer; a stripped embedder has the id of its backbone.
        spec: `EmbedderSpec`; read are color order, sizes, mean, std and template.

    Returns:
        32 hexadecimal digits: 128 bits.

    Example:
        >>> spec = spec.replace(embedder_id=embedder_id(backbone, spec))
    """
    digest = hashlib.sha256()
    fields = {field: getattr(spec, field) for field in _PREPROCESSING}
    digest.update(json.dumps(fields, sort_keys=True).encode())
    for weight in backbone.weights:
        values = np.ascontiguousarray(ops.convert_to_numpy(weight), "<f4")
        digest.update(str(values.shape).encode())
        digest.update(values.tobytes())
    return digest.hexdigest()[:32]


def embedder_spec(model, *, name, training_data="unknown", licence="unknown", thresholds=(), template=None):
    """Returns the `EmbedderSpec` of a trained model, its `embedder_id` computed.

    Args:
        model: `FaceModel`; sizes, mean, std and color order are read from it.
        name: `architecture.head_data`, as the zoo names it.
        training_data: what the weights have seen.
        licence: of the weights.
        thresholds: calibrated `Threshold`s.
        template: five-point template of the training crops; by default the one of the input's size, or "none".

    Returns:
        `EmbedderSpec`.

    Raises:
        ValueError: the model has no backbone, or one without a fixed input size.

    Example:
        >>> embedder_spec(face_model, name="mobilefacenet.arcface_celeba").embedder_id
        '0f4c…'
    """
    if not hasattr(model, "backbone"):
        raise ValueError(
            "expected a FaceModel; for a bare backbone build the EmbedderSpec yourself and fill in "
            f"embedder_id(backbone, spec). Received: {type(model).__name__}"
        )
    height, width = model.backbone.input_shape[1:3]
    if height is None or width is None:
        raise ValueError(f"expected a backbone of fixed input size. Received: input_shape={model.backbone.input_shape}")
    spec = EmbedderSpec(
        name=name,
        embedder_id="",
        embedding_size=model.backbone.output_shape[-1],
        input_height=height,
        input_width=width,
        mean=model.mean,
        std=model.std,
        color_order=model.color_order,
        template=template or _TEMPLATES.get((height, width), "none"),
        thresholds=tuple(thresholds),
        training_data=training_data,
        licence=licence,
        library_version=__version__,
    )
    return spec.replace(embedder_id=embedder_id(model.backbone, spec))
