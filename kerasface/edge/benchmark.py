"""How fast, how large and how hungry exported files are on this machine, side by side; no TensorFlow."""

import dataclasses
import importlib
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from kerasface.edge.delegation import delegation
from kerasface.edge.runtime import file_format, open_session, read_model, tflite_interpreter
from kerasface.errors import KerasfaceError

__all__ = ["BenchmarkResult", "FileFigures", "Latency", "benchmark", "first_run"]

_WARM_UP = 5
_PROBE = """
import json, sys
from kerasface.edge.benchmark import first_run
print(json.dumps(first_run(sys.argv[1])))
"""


@dataclasses.dataclass(frozen=True)
class Latency:
    """How long one run takes at one number of threads.

    Args:
        threads: given to the runtime.
        runs: how many were timed.
        p50_ms, p90_ms, p95_ms, p99_ms: percentiles over runs.
    """

    threads: int
    runs: int
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float


@dataclasses.dataclass(frozen=True)
class FileFigures:
    """What was measured of one file.

    Args:
        path: of the file.
        format: "tflite" or "onnx".
        bytes: its size.
        batch: images a run.
        load_ms: opening it in a fresh process that has imported the runtime.
        rss_mb: peak memory of that process after one run; None where the system doesn't tell.
        nodes: operators that XNNPACK runs; None for ONNX, and without ai-edge-litert.
        outside: operators that it doesn't; None likewise.
        runs: one `Latency` a number of threads.
    """

    path: str
    format: str
    bytes: int
    batch: int
    load_ms: float
    rss_mb: float | None
    nodes: int | None
    outside: tuple[str, ...] | None
    runs: tuple[Latency, ...]


@dataclasses.dataclass(frozen=True)
class BenchmarkResult:
    """Files measured together.

    Args:
        files: one a file, in the order given.
        cpus: of this machine.
    """

    files: tuple[FileFigures, ...]
    cpus: int

    def to_json(self):
        """Returns the result as a JSON text, keys sorted."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    def rows(self):
        """Returns the headings and one row of texts for each file and number of threads."""
        headings = ["file", "threads", "p50 ms", "p90 ms", "p95 ms", "p99 ms", "× first", "MB", "load ms", "RSS MB"]
        rows = []
        for file in self.files:
            for run, first in zip(file.runs, self.files[0].runs, strict=True):
                times = [f"{ms:.2f}" for ms in (run.p50_ms, run.p90_ms, run.p95_ms, run.p99_ms)]
                rss = "–" if file.rss_mb is None else f"{file.rss_mb:.0f}"
                rows.append(
                    [
                        *(Path(file.path).name, str(run.threads), *times, f"{run.p50_ms / first.p50_ms:.2f}"),
                        *(f"{file.bytes / 1e6:.2f}", f"{file.load_ms:.0f}", rss, _nodes(file)),
                    ]
                )
        return [*headings, "on XNNPACK"], rows


def benchmark(paths, *, threads=(1, 2), runs=200, progress=None):
    """Times files against each other: one run of each in turn, so that whatever else the machine does falls on all.

    Args:
        paths: TFLite or ONNX files of one picture input, ours or others'.
        threads: numbers of threads to give to the runtime.
        runs: timed runs of each file at each number of threads.
        progress: called as `progress(done, total)`, in rounds.

    Returns:
        `BenchmarkResult`.

    Raises:
        KerasfaceError: no such file, neither format, or an input whose size is free.
        ValueError: nothing to measure.

    Example:
        >>> result = benchmark(["fp32.tflite", "int8.tflite"], threads=(1,))
        >>> result.files[1].runs[0].p50_ms / result.files[0].runs[0].p50_ms
        0.58
    """
    paths = [Path(path) for path in paths]
    if not paths or runs < 1 or not threads:
        raise ValueError(f"expected files, threads and runs. Received: {len(paths)} files, {threads=}, {runs=}")
    total = runs * len(threads)
    latencies: list[list[Latency]] = [[] for _ in paths]
    for number, count in enumerate(threads):
        sessions = [open_session(read_model(path), path, threads=count) for path in paths]
        pictures = [_picture(session, path) for session, path in zip(sessions, paths, strict=True)]
        seen = np.empty((len(paths), runs))
        for done in range(-_WARM_UP, runs):
            for index in np.roll(np.arange(len(paths)), done):
                start = time.perf_counter()
                sessions[index].run(pictures[index])
                seen[index, max(done, 0)] = time.perf_counter() - start
            if progress is not None and done >= 0:
                progress(number * runs + done + 1, total)
        for row, times in zip(latencies, 1000 * seen, strict=True):
            row.append(Latency(count, runs, *(float(np.percentile(times, q)) for q in (50, 90, 95, 99))))
    return BenchmarkResult(tuple(map(_figures, paths, latencies)), os.cpu_count() or 1)


def first_run(path):
    """Opens a file and runs it once; meant for a process of its own, which it measures.

    Args:
        path: the file.

    Returns:
        dict of `load_ms` and `rss_mb`.
    """
    content = read_model(path)
    _import_runtime(file_format(content, path))
    start = time.perf_counter()
    session = open_session(read_model(path), path)
    load = time.perf_counter() - start
    session.run(_picture(session, path))
    return {"load_ms": 1000 * load, "rss_mb": _peak_memory()}


def _figures(path, latencies):
    content = read_model(path)
    done = subprocess.run([sys.executable, "-c", _PROBE, str(path)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise KerasfaceError(f"{path} does not run in a process of its own: {done.stderr.strip()[-300:]}")
    shape = open_session(content, path).input_shape
    split = _delegation(path) if file_format(content, path) == "tflite" else None
    return FileFigures(
        path=str(path),
        format=file_format(content, path),
        bytes=len(content),
        batch=shape[0] or 1,
        **json.loads(done.stdout.splitlines()[-1]),
        nodes=None if split is None else split.nodes,
        outside=None if split is None else split.outside,
        runs=tuple(latencies),
    )


def _delegation(path):
    try:
        return delegation(path)
    except ImportError:  # tflite-runtime shows no operators
        return None


def _picture(session, path):
    shape = (session.input_shape[0] or 1, *session.input_shape[1:])
    if None in shape:
        raise KerasfaceError(f"{path} takes pictures of any size, so there is none to time. Received: input {shape}")
    return np.random.default_rng(0).integers(0, 256, shape).astype(session.input_dtype)


def _import_runtime(kind):
    if kind == "onnx":
        importlib.import_module("onnxruntime")
    else:
        tflite_interpreter()


def _peak_memory():
    status = Path("/proc/self/status")
    if status.is_file():
        # Linux hands getrusage's peak on from the process that started this one; VmHWM is of this program alone.
        for line in status.read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024 / 1e6
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


def _nodes(file):
    return "–" if file.nodes is None else f"{file.nodes} of {file.nodes + len(file.outside)}"
