"""A gallery as JSON, for other programs: names and templates in clear, as the embedder gave them."""

import json
from pathlib import Path

import numpy as np

from kerasface.edge.atomic import write_atomically
from kerasface.edge.galleries.content import GalleryContent
from kerasface.errors import KerasfaceError
from kerasface.spec import EmbedderSpec

__all__ = ["read_exchange", "write_exchange"]

_FORMAT = 1
_NOTICE = "Biometric data: names and face templates in clear. Keep it to yourself, delete it when it has served."


def write_exchange(path, content):
    """Writes a gallery as JSON in one step, readable by its owner alone.

    An object of "kerasface_gallery" (the format, 1), "notice", "spec" (the embedder's), "policy" and "people": a list
    of "name", "photos" and "templates", rows of numbers that read back as the same float32.

    Args:
        path: of the file.
        content: `GalleryContent` without a renewal key's transform.

    Raises:
        KerasfaceError: the file can't be written; what was there is untouched.
    """
    people = [
        {"name": name, "photos": photos, "templates": [[float(f"{x:.9g}") for x in row] for row in rows.tolist()]}
        for name, photos, rows in content.people()
    ]
    document = {
        "kerasface_gallery": _FORMAT,
        "notice": _NOTICE,
        "spec": json.loads(content.spec.to_json()),
        "policy": content.policy,
        "people": people,
    }
    try:
        # Names of folders may hold bytes that are no text (surrogates): spelled as JSON's escapes, which look the same.
        write_atomically(path, (json.dumps(document, ensure_ascii=False) + "\n").encode(errors="backslashreplace"))
    except OSError as error:
        raise KerasfaceError(f"can't write {path}: {error}. Choose a folder you can write to.") from error


def read_exchange(path):
    """Reads what `write_exchange` wrote, or another program in its format.

    Args:
        path: of the file.

    Returns:
        `GalleryContent`.

    Raises:
        KerasfaceError: no such file, not this format, or templates that can't be an embedder's.
    """
    try:
        document = json.loads(Path(path).read_bytes())
    except OSError as error:
        raise KerasfaceError(f"can't read {path}: {error.strerror}") from error
    except ValueError as error:
        raise KerasfaceError(f"{path} is no JSON text: {error}. `kerasface gallery export` writes one.") from error
    if not isinstance(document, dict) or document.get("kerasface_gallery") != _FORMAT:
        received = document.get("kerasface_gallery") if isinstance(document, dict) else type(document).__name__
        raise KerasfaceError(
            f'{path} is no gallery in JSON: expected an object with "kerasface_gallery": {_FORMAT}, as `kerasface '
            f"gallery export` writes it. Received: {received!r}"
        )
    try:
        people = document["people"]
        rows = [row for person in people for row in person["templates"]]
        content = GalleryContent(
            spec=EmbedderSpec.from_json(json.dumps(document["spec"])),
            policy=document["policy"],
            names=[person["name"] for person in people],
            photos=[person["photos"] for person in people],
            rows=np.array(rows, np.float32) if rows else np.zeros((0, 0), np.float32),
        )
        lengths = [len(person["templates"]) for person in people]
        if lengths != content.lengths:
            raise ValueError(f"expected {content.lengths[:5]}… templates a person. Received: {lengths[:5]}…")
        return content
    except (KeyError, TypeError, ValueError) as error:
        raise KerasfaceError(f"the gallery in {path} can't be read: {error!r}") from error
