"""Files that take their name only when they are whole, for those too large to be held in memory."""

import contextlib
import os
import tempfile
from pathlib import Path

__all__ = ["draft_files"]


@contextlib.contextmanager
def draft_files(*paths):
    """Opens files for writing that appear under their names when the block ends, or not at all when it fails.

    Args:
        paths: of the files; their folders are made when missing. One file may replace what is there, several may not:
            what the first replaced could not be brought back if the second failed.

    Yields:
        list of binary files.

    Raises:
        OSError: a folder can't be written or the disk is full; nothing is left behind.

    Example:
        >>> with draft_files("train.rec", "train.idx") as (records, index):
        ...     records.write(b"...")
    """
    paths = [Path(path) for path in paths]
    drafts: list[str] = []
    placed: list[Path] = []
    try:
        with contextlib.ExitStack() as stack:
            files = []
            for path in paths:
                path.parent.mkdir(parents=True, exist_ok=True)
                handle, draft = tempfile.mkstemp(prefix=f".draft_{path.name}.", dir=path.parent)
                drafts.append(draft)
                files.append(stack.enter_context(os.fdopen(handle, "wb")))
            yield files
            for file in files:
                file.flush()
                os.fsync(file.fileno())
        for draft, path in zip(drafts, paths, strict=True):
            os.chmod(draft, 0o644)
            os.replace(draft, path)
            placed.append(path)
    except BaseException:
        for file in (*drafts, *placed):
            with contextlib.suppress(FileNotFoundError):
                os.unlink(file)
        raise
