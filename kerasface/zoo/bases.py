"""Where embedders come from: the package itself, a host or folder, and what the user has imported."""

import contextlib
import hashlib
import os
import urllib.parse
from pathlib import Path

from kerasface.edge.assets import cache_dir
from kerasface.edge.atomic import write_atomically
from kerasface.errors import KerasfaceError
from kerasface.zoo.manifest import MANIFEST, Manifest
from kerasface.zoo.network import reason

__all__ = ["HOST", "SHIPPED", "Base", "bases", "fetched_dir", "zoo_dir"]

# The public host, to be set by who runs one; the form of $KERASFACE_ZOO. There is none yet.
HOST: str | None = None

# Small weights that the package itself carries.
SHIPPED = Path(__file__).parent / "shipped"

_SECONDS = 15
_LOCAL = ("localhost", "127.0.0.1", "::1")


def fetched_dir():
    """Returns the folder of fetched files, each as its manifest says."""
    return cache_dir() / "zoo_files"


def zoo_dir():
    """Returns the folder of the user's own zoo, one sub-folder a model."""
    return cache_dir() / "zoo"


class Base:
    """One place that holds a manifest and the files that it names.

    Args:
        address: a folder, `file:///folder`, `https://…`, or `hf://org/repo` of the Hugging Face hub. Plain `http://`
            only on this machine: whoever sits between could change a manifest and the hashes in it.

    Raises:
        KerasfaceError: another kind of address, or a password in it.
    """

    def __init__(self, address):
        self.address = str(address)
        try:
            parts = urllib.parse.urlsplit(self.address)
        except ValueError as error:
            raise _unreadable() from error
        if parts.username or parts.password:  # addresses stand in messages and logs
            raise KerasfaceError(
                f"KERASFACE_ZOO carries a name or a password for {parts.hostname}: put them into ~/.netrc instead."
            )
        if ":" in parts.netloc and "@" in self.address:  # a password with / ? or # in it: they end the host
            raise _unreadable()
        self.folder, self.url = None, None
        if isinstance(address, Path):
            self.folder = address
        elif parts.scheme == "file" and not parts.netloc:
            self.folder = Path(urllib.parse.unquote(parts.path))
        elif parts.scheme == "hf" and parts.netloc and parts.path.strip("/"):
            self.url = f"https://huggingface.co/{parts.netloc}/{parts.path.strip('/')}/resolve/main/"
        elif (parts.scheme == "https" and parts.hostname) or (parts.scheme == "http" and parts.hostname in _LOCAL):
            self.url = self.address.rstrip("/") + "/"
        else:
            raise KerasfaceError(
                "KERASFACE_ZOO must be file:///folder, https://host/path or hf://org/repo (http:// on this machine "
                f"only). Received: {self.address.rpartition('@')[2]}"
            )

    def manifest(self):
        """Reads the manifest; the last copy of a host's where it can't be reached.

        Returns:
            `Manifest`; an empty one where the user has imported nothing.

        Raises:
            KerasfaceError: a manifest that can't be read, a host that can't be reached and never was, or that has none;
                a folder that was named and has none.
        """
        if self.folder is not None:
            path = self.folder / MANIFEST
            if not path.is_file():
                if self.address.startswith("file:"):
                    raise KerasfaceError(f"KERASFACE_ZOO names no zoo: there is no {path}. Is the path right?")
                return Manifest({})
            return Manifest.from_json(path.read_bytes(), path)
        copy = cache_dir() / "manifests" / f"{hashlib.sha256(self.url.encode()).hexdigest()[:16]}.json"
        try:
            content = self._fetched()
        except OSError as error:  # requests' exceptions are OSErrors
            if not copy.is_file():
                raise KerasfaceError(
                    f"can't read the zoo's manifest {self.url}{MANIFEST}: {reason(self.url, error)}. What the package "
                    "carries works without: unset KERASFACE_ZOO."
                ) from error
            return Manifest.from_json(copy.read_bytes(), copy)
        manifest = Manifest.from_json(content, f"{self.url}{MANIFEST}")
        with contextlib.suppress(OSError):  # without a cache there is no copy for later, and that is all
            write_atomically(copy, content, mode=0o644)
        return manifest

    def _fetched(self):
        import requests

        reply = requests.get(self.url + MANIFEST, timeout=_SECONDS)
        reply.raise_for_status()
        return reply.content

    def location(self, path):
        """Returns the address of a file of the manifest."""
        return str(self.folder / path) if self.folder is not None else self.url + urllib.parse.quote(path)


def _unreadable():
    # Without the address, which may carry a password where its end can't be told.
    return KerasfaceError(
        "KERASFACE_ZOO is no address: its host can't be read. Is a bracket missing, or a password in it? That belongs "
        "into ~/.netrc."
    )


def bases():
    """Returns the `Base`s in the order in which a name is looked up in them.

    `$KERASFACE_ZOO` or the public host, if there is one; what the package carries; what the user has imported.
    """
    host = os.environ.get("KERASFACE_ZOO") or HOST
    return [*([Base(host)] if host else []), Base(SHIPPED), Base(zoo_dir())]
