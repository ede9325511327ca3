"""Silence for what libraries log from C++."""

import contextlib
import os
import sys

__all__ = ["quiet_standard_error"]


@contextlib.contextmanager
def quiet_standard_error():
    """Silences standard error while the block runs; exceptions still come through.

    TensorFlow and LiteRT log from C++ before a log level can be set; only the file descriptor is low enough for that.
    """
    sys.stderr.flush()
    kept = os.dup(2)
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(kept, 2)
        os.close(kept)
