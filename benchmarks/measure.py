"""What benchmarks share: rounds side by side in one process, the peak memory of a fresh one, and where results go."""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import threading
import time
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


def arguments(description):
    """Parses `--quick` and `--json`."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--quick", action="store_true", help="the smallest case only, few rounds; nothing is kept")
    parser.add_argument("--json", type=Path, help="also write the result here")
    return parser.parse_args()


def side_by_side(contenders, *, rounds):
    """Seconds of each contender, all of them in turn in every round, so that a slow minute hits them alike.

    Args:
        contenders: dict of name to function; each is called once before the clock starts.
        rounds: how often.

    Returns:
        dict of name to list of seconds.
    """
    for run in contenders.values():
        run()
    seconds = {name: [] for name in contenders}
    for _ in range(rounds):
        for name, run in contenders.items():
            started = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - started)
    return seconds


def ratio(seconds, name, floor):
    """Median over the rounds of a contender's time relative to the floor's in the same round."""
    return statistics.median(ours / theirs for ours, theirs in zip(seconds[name], seconds[floor], strict=True))


class PeakMemory:
    """Context manager: megabytes of resident memory above those at the start, sampled each half millisecond.

    Memory that an allocator has kept from before isn't seen twice: measure in a fresh process, what is measured first.
    """

    def __enter__(self):
        self._start = self._top = _resident()
        self._running = True
        self._thread = threading.Thread(target=self._watch, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *error):
        self._running = False
        self._thread.join()
        self.megabytes = max(self._top, _resident()) - self._start

    def _watch(self):
        while self._running:
            self._top = max(self._top, _resident())
            time.sleep(0.0005)


def in_fresh_process(script, *words):
    """Runs `script WORDS` in a process of its own and returns the JSON that it prints last.

    TensorFlow is told to leave memory to glibc, and glibc to give every megabyte back as soon as it is freed: what
    either kept would hide from `PeakMemory`.
    """
    command = [sys.executable, script, *map(str, words)]
    environment = {
        **os.environ,
        "MALLOC_MMAP_THRESHOLD_": "1048576",
        "MALLOC_TRIM_THRESHOLD_": "0",
        "TF_ONEDNN_USE_SYSTEM_ALLOCATOR": "1",
    }
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=environment)
    return json.loads(done.stdout.strip().splitlines()[-1])


def keep(name, result, options):
    """Writes the result to `benchmarks/results` unless it was a quick run, and wherever `--json` says."""
    result = {"machine": machine(), **result}
    text = json.dumps(result, indent=1) + "\n"
    if not options.quick:
        (RESULTS / f"{name}.json").write_text(text)
    if options.json:
        options.json.write_text(text)


def machine():
    """What the figures were measured on."""
    with open("/proc/cpuinfo") as lines:
        model = next((line.split(":")[1].strip() for line in lines if line.startswith("model name")), "")
    return {"processor": model or platform.machine(), "cores": os.cpu_count(), "python": platform.python_version()}


def _resident():
    # Without what is mapped from files: the kernel keeps and drops those pages as it likes, they are nobody's buffers.
    with open("/proc/self/statm") as statm:
        _, resident, shared = statm.read().split()[:3]
    return (int(resident) - int(shared)) * os.sysconf("SC_PAGE_SIZE") / 2**20
