"""How fast a model's files are, as cards tell it."""

import json
from pathlib import Path

from kerasface.edge.benchmark import benchmark

__all__ = ["time_files"]

_THREADS, _RUNS = (1, 2), 200


def time_files(paths, progress=None):
    """Times files in turn in one process; wants a quiet machine.

    Args:
        paths: of TFLite files.
        progress: called as `progress(done, total)`.

    Returns:
        `BenchmarkResult` as a tree, files by their names.
    """
    result = benchmark(paths, threads=_THREADS, runs=_RUNS, progress=progress)
    tree = json.loads(result.to_json())
    for file in tree["files"]:
        file["path"] = Path(file["path"]).name
    return tree
