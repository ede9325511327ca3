"""The cache, the detector's models, and where the zoo is looked for."""

import os
import tempfile

from kerasface.doctor.finding import Finding
from kerasface.edge import assets
from kerasface.errors import KerasfaceError
from kerasface.zoo.bases import SHIPPED, Base, zoo_dir

__all__ = ["place_findings"]


def place_findings() -> list[Finding]:
    """Looks at files and folders; the network is left alone."""
    return [_cache(), *_models(), *_zoo()]


def _cache():
    folder = assets.cache_dir()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
        size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    except OSError as error:
        fix = "export KERASFACE_CACHE=FOLDER, one that you own"
        return Finding("files", "cache", "wrong", f"{folder}: {error.strerror}", fix)
    return Finding("files", "cache", "ok", f"{folder}, {size / 1e6:.1f} MB")


def _models():
    for name, asset in assets.ASSETS.items():
        try:
            yield Finding("files", asset.file, "ok", str(assets.path(name)))
        except KerasfaceError:
            why = "not here, or another file: photos can't be aligned, aligned crops can be read"
            yield Finding("files", asset.file, "absent", why, "kerasface assets get")


def _zoo():
    address = os.environ.get("KERASFACE_ZOO")
    if address:
        try:
            Base(address)
            yield Finding("files", "zoo's host", "ok", address)
        except KerasfaceError as error:
            yield Finding("files", "zoo's host", "wrong", str(error), "unset KERASFACE_ZOO, or correct it")
    for what, folder in (("shipped embedders", SHIPPED), ("your own embedders", zoo_dir())):
        try:
            count = len(Base(folder).manifest().models)
            state, fix = ("ok", "") if count else ("absent", "kerasface zoo import")
            yield Finding("files", what, state, str(count), fix)
        except KerasfaceError as error:
            yield Finding("files", what, "wrong", str(error), f"remove or mend {folder}")
