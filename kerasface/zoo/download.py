"""A file of a base into the cache: resumed, verified, whole or not at all."""

import shutil
from pathlib import Path

from kerasface.errors import KerasfaceError
from kerasface.zoo.bases import fetched_dir
from kerasface.zoo.network import reason

__all__ = ["fetch_file"]

_CHUNK = 1 << 16
_RETRIES = 3
# Seconds without a connection, or without a byte, until a try counts as lost.
_CONNECT, _SILENCE = 10.0, 30.0
_PASSING = (408, 429)  # a host that waited too long, or was asked too often: refusals that pass, as its own errors do


def fetch_file(base, file, *, progress=None):
    """Brings a file of the manifest into the cache and checks it.

    A transfer that breaks goes on where it broke, in this call or a later one. Several processes may ask for the same
    file: one fetches, the others wait for it. What lies in the cache already is verified and taken without a network.

    Args:
        base: `Base`.
        file: `ZooFile` of its manifest.
        progress: called as `progress(done, total)`, in bytes.

    Returns:
        Path of the verified file.

    Raises:
        KerasfaceError: it isn't there, can't be reached, or is another file than the manifest says; nothing is left
            that could be taken for it.
    """
    import filelock
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")  # the progress says it better
    # By its hash: files of one name from two bases never meet.
    folder = fetched_dir() / file.sha256[:16]
    name = Path(file.path).name
    shelf = pooch.create(
        path=folder, base_url=base.address, registry={name: f"sha256:{file.sha256}"}, retry_if_failed=_RETRIES
    )
    shelf.urls[name] = base.location(file.path)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(folder / f"{name}.lock"):
            return Path(shelf.fetch(name, downloader=_Resumed(folder / f"{name}.part", file.size, progress)))
    except ValueError as error:  # pooch's word for a wrong hash
        raise KerasfaceError(
            f"{base.location(file.path)} is not the file that the manifest names: its sha256 isn't "
            f"{file.sha256[:16]}…. It was damaged or exchanged, and is not used."
        ) from error
    except requests.exceptions.RequestException as error:
        url = base.location(file.path)
        raise KerasfaceError(
            f"can't fetch {url}: {reason(url, error)}. Whatever has come is kept: run it again to go on."
        ) from error
    except OSError as error:
        if base.folder is not None and not (base.folder / file.path).is_file():
            raise KerasfaceError(f"there is no {base.location(file.path)}, which the manifest names.") from error
        raise KerasfaceError(
            f"can't bring {base.location(file.path)} into {folder}: {error.strerror or error}. Set KERASFACE_CACHE to "
            "a folder that you may write to."
        ) from error


class _Resumed:
    """A downloader for pooch that goes on where an earlier try ended.

    Args:
        part: of the file, kept between tries.
        size: of the whole in bytes.
        progress: see `fetch_file`.
    """

    def __init__(self, part, size, progress):
        self.part, self.size, self.progress = part, size, progress or (lambda done, total: None)

    def __call__(self, location, output_file, _):
        if "://" not in location:
            shutil.copyfile(location, output_file)
            return
        self._fetch(location)
        self.part.replace(output_file)

    def _fetch(self, url):
        import requests

        done = self.part.stat().st_size if self.part.exists() else 0
        if done > self.size:  # of another file, then
            done = 0
        if done == self.size:
            return
        headers = {"Range": f"bytes={done}-"} if done else {}
        with requests.get(url, headers=headers, stream=True, timeout=(_CONNECT, _SILENCE)) as reply:
            if 400 <= reply.status_code < 500 and reply.status_code not in _PASSING:
                raise KerasfaceError(f"can't fetch {url}: the host says {reply.status_code} {reply.reason}.")
            reply.raise_for_status()
            if reply.status_code != requests.codes.partial_content:
                done = 0
            with open(self.part, "ab" if done else "wb") as file:
                for chunk in reply.iter_content(_CHUNK):
                    file.write(chunk)
                    done += len(chunk)
                    if done > self.size:
                        break
                    self.progress(done, self.size)
        if done > self.size:
            self.part.unlink()
            raise KerasfaceError(f"{url} is longer than the {self.size:,} bytes that the manifest names; not used.")
        if done < self.size:
            raise requests.exceptions.ConnectionError(f"the transfer ended after {done:,} of {self.size:,} bytes")
