"""Where a build puts what it made: a folder that a host can serve, and the package itself."""

import os
import shutil
import tempfile
from pathlib import Path

from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError
from kerasface.zoo.bases import Base
from kerasface.zoo.manifest import MANIFEST, Manifest
from kerasface.zoo.workshop.page import write_page
from kerasface.zoo.workshop.terms import weights_licence

__all__ = ["LICENCE", "MAX_ALL", "MAX_FILE", "check_sizes", "put", "ship", "shipped_folder"]

LICENCE = "LICENSE-WEIGHTS.txt"
# What a wheel may carry, in bytes: a file, and all of them.
MAX_FILE, MAX_ALL = 3_000_000, 15_000_000


def put(record, files, folder):
    """Puts a model into a folder that is laid out as a base of the zoo; other models in it stay.

    Args:
        record: `BuildRecord`.
        files: paths by the names that the manifest and the card give them.
        folder: of the base; made where it is missing.

    Raises:
        KerasfaceError: it can't be written.
    """
    folder, name = Path(folder), record.model.name
    models = {**Base(folder).manifest().models, name: record.model}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=f".{name}.", dir=folder) as staged:
            fresh, old = Path(staged) / "fresh", Path(staged) / "old"
            fresh.mkdir()
            for own, path in files.items():
                shutil.copyfile(path, fresh / own)
            try:
                if (folder / name).exists():
                    os.rename(folder / name, old)
                os.rename(fresh, folder / name)
            except BaseException:
                # Back, or it goes with the folder that it was put aside in.
                if old.exists() and not (folder / name).exists():
                    os.rename(old, folder / name)
                raise
        write_atomically(folder / LICENCE, weights_licence(models).encode(), mode=0o644)
        # Last: until then it tells of the old files, which a client finds to be others and does not use.
        write_atomically(folder / MANIFEST, Manifest(models).to_json().encode(), mode=0o644)
    except OSError as error:
        raise KerasfaceError(f"can't write {folder}: {error.strerror}. Name another folder.") from error


def ship(record, files, checkout):
    """Puts a model into the package of a checkout, its card and record into `zoo/cards`, and writes `zoo/README.md`.

    Args:
        record, files: see `put`.
        checkout: root of the source tree.

    Raises:
        KerasfaceError: too large for a wheel (see `check_sizes`), or see `put`.
    """
    check_sizes(record, checkout)
    name, cards = record.model.name, Path(checkout) / "zoo" / "cards"
    put(record, files, shipped_folder(checkout))
    try:
        for ending in ("md", "png"):
            write_atomically(cards / f"{name}.{ending}", files[f"{name}.{ending}"].read_bytes(), mode=0o644)
        write_atomically(cards / f"{name}.json", record.to_json().encode(), mode=0o644)
    except OSError as error:
        raise KerasfaceError(f"can't write {cards}: {error.strerror}.") from error
    write_page(checkout)


def check_sizes(record, checkout):
    """Refuses what would make a wheel too large.

    Args:
        record: `BuildRecord`.
        checkout: root of the source tree.

    Raises:
        KerasfaceError: a file beyond `MAX_FILE`, or all models together beyond `MAX_ALL`.
    """
    for file in record.model.files.values():
        if file.size > MAX_FILE:
            raise KerasfaceError(
                f"the package carries files of at most {MAX_FILE:,} bytes. Received: {file.path} of {file.size:,}. "
                "Host it (the upload folder is made without --ship), or train a smaller network."
            )
    models = {**Base(shipped_folder(checkout)).manifest().models, record.model.name: record.model}
    total = sum(file.size for model in models.values() for file in model.files.values())
    if total > MAX_ALL:
        raise KerasfaceError(
            f"the package carries at most {MAX_ALL:,} bytes of weights. Received: {total:,} with "
            f"{', '.join(sorted(models))}. Take one out first."
        )


def shipped_folder(checkout):
    """The folder of the package's own base in a checkout; a path that is no checkout is refused.

    Raises:
        KerasfaceError: there is no package in it.
    """
    package = Path(checkout) / "kerasface" / "zoo"
    if not package.is_dir():
        raise KerasfaceError(
            f"expected the root of kerasface's source tree, with {package.name}/. Received: {checkout}"
        )
    return package / "shipped"
