"""The user's own zoo: imported embedders, in a manifest as every other base has one."""

import datetime
import hashlib
from pathlib import Path

import filelock

from kerasface.edge.atomic import write_atomically
from kerasface.zoo.bases import Base, zoo_dir
from kerasface.zoo.manifest import MANIFEST, Manifest, ZooFile, ZooModel

__all__ = ["register"]


def register(path, spec, *, origin, licence, training_data, library_version):
    """Adds an embedder to the user's manifest; entries whose files are gone leave it.

    Args:
        path: of a `.keras` file in a sub-folder of `zoo_dir()`.
        spec: its `EmbedderSpec`.
        origin: where it came from.
        licence: of the weights, as their author states it.
        training_data: what the weights have seen.
        library_version: that made the file.

    Returns:
        The `ZooModel` that was added.
    """
    folder, content = zoo_dir(), Path(path).read_bytes()
    file = ZooFile(
        path=Path(path).relative_to(folder).as_posix(),
        size=len(content),
        sha256=hashlib.sha256(content).hexdigest(),
        spec=spec,
    )
    card = Path(path).with_name("card.md")
    model = ZooModel(
        name=spec.name,
        files={"keras": file},
        training_data=training_data,
        licence_code="Apache-2.0",
        licence_weights=licence,
        licence_data="unknown",
        recipe=f"imported from {origin}",
        date=datetime.date.today().isoformat(),
        library_version=library_version,
        card=card.relative_to(folder).as_posix() if card.is_file() else None,
    )
    with filelock.FileLock(folder / f".{MANIFEST}.lock"):
        models = Base(folder).manifest().models
        models = {
            name: known
            for name, known in models.items()
            if all((folder / entry.path).is_file() for entry in known.files.values())
        }
        text = Manifest({**models, model.name: model}).to_json()
        write_atomically(folder / MANIFEST, text.encode(), mode=0o644)
    return model
