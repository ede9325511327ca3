"""Finding the EmbedderSpec of an exported file: inside it, and in the sidecar beside it."""

import hashlib
import json
from pathlib import Path

from kerasface.errors import KerasfaceError
from kerasface.spec import SPEC_KEY, EmbedderSpec

__all__ = ["read_spec", "sidecar_path"]


def sidecar_path(path):
    """Returns where the sidecar of a model file lies: the same name with `.json` added."""
    path = Path(path)
    return path.with_name(path.name + ".json")


def read_spec(entries, content, path):
    """Finds what is known about an exported model.

    The sidecar's spec wins over the one inside the file: a host's manifest may know thresholds that were chosen with
    the finished file, whose bytes must stay. The sidecar must be of exactly this file, and both specs of one model.

    Args:
        entries: the file's own metadata, dict of name to bytes (`session.metadata`).
        content: the file's bytes, for the sidecar's sha256.
        path: of the file.

    Returns:
        an `EmbedderSpec`.

    Raises:
        KerasfaceError: neither carries a spec, one or its file can't be read, the sidecar is of another file, or they
            disagree on the embedder_id.
    """
    inside = _parse(entries[SPEC_KEY], path) if SPEC_KEY in entries else None
    beside = _sidecar_spec(content, path)
    spec = beside or inside
    if spec is None:
        raise KerasfaceError(
            f"{path} carries no EmbedderSpec (no metadata {SPEC_KEY!r} in it, no {sidecar_path(path).name} beside it), "
            "so its preprocessing and its identity are unknown. Export it with `kerasface export`; bring in an "
            "embedder of others with `kerasface zoo import` first."
        )
    if inside is not None and inside.embedder_id != spec.embedder_id:
        raise KerasfaceError(
            f"{sidecar_path(path)} speaks of embedder {spec.embedder_id}, but the file itself of {inside.embedder_id}. "
            "Export it again, or delete the sidecar."
        )
    return spec


def _sidecar_spec(content, path):
    sidecar = sidecar_path(path)
    if not sidecar.is_file():
        return None
    try:
        fields = json.loads(sidecar.read_text(encoding="utf-8"))
        sha256, spec = fields["sha256"], fields["spec"]
    except OSError as error:
        raise KerasfaceError(f"can't read {sidecar}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError) as error:
        raise KerasfaceError(
            f"{sidecar} is no sidecar of a model: expected a JSON object with spec and sha256. Received: {error!r}. "
            "Export the model again, or delete the sidecar."
        ) from error
    received = hashlib.sha256(content).hexdigest()
    if received != sha256:
        raise KerasfaceError(
            f"{path} is not the file that {sidecar.name} was written for: it was changed, damaged or exchanged. "
            f"Copy both again, or export again. Expected sha256 {sha256}. Received: {received}"
        )
    return _parse(json.dumps(spec), sidecar)


def _parse(text, path):
    try:
        return EmbedderSpec.from_json(text if isinstance(text, str) else text.decode("utf-8"))
    except ValueError as error:
        raise KerasfaceError(f"the spec in {path} can't be read: {error}") from error
