"""Several processes of one run on this machine, to try out what a cluster would do."""

import json
import os
import signal
import socket
import subprocess
import threading
import time

from kerasface.errors import KerasfaceError

__all__ = ["launch"]

_SIGNALS = (signal.SIGINT, signal.SIGTERM)
# A process in a collective operation does not hear a polite signal before its partners answer, and they are gone.
_PATIENCE_SECONDS = 10.0
_POLL_SECONDS = 0.05


def launch(command, workers, *, say=print):
    """Starts a command in so many processes, each with its TF_CONFIG over loopback, and waits for all of them.

    Their output comes line by line behind "[worker 0] "; SIGINT and SIGTERM go on to each of them. When one dies the
    others can only wait for it: they are ended too.

    Args:
        command: list of texts; it must train under the multiworker strategy.
        workers: how many.
        say: called with each line.

    Returns:
        0, or the exit code that all ended with after a signal: 130 from `kerasface train`.

    Raises:
        KerasfaceError: a process could not be started, or died; what it died of is named.

    Example:
        >>> launch(["kerasface", "train", "recipe.yaml", "--data", "faces", "--strategy", "multiworker"], workers=2)
    """
    addresses = [f"127.0.0.1:{port}" for port in _free_ports(workers)]
    processes, readers = [], []
    with _Forwarding(processes) as forwarding:
        try:
            for index in range(workers):
                cluster = {"cluster": {"worker": addresses}, "task": {"type": "worker", "index": index}}
                processes.append(_start(command, json.dumps(cluster)))
                readers.append(threading.Thread(target=_read, args=(processes[-1], index, say), daemon=True))
                readers[-1].start()
            dead = _wait(processes, forwarding)
        finally:
            _end(processes)
    for reader in readers:
        reader.join()
    if dead is not None and not forwarding.signalled:
        raise KerasfaceError(
            f"worker {dead} {_fate(processes[dead].returncode)}, and the others were ended with it; what they said "
            "stands above. Start again, with --resume where the run has a checkpoint."
        )
    return max(abs(process.returncode) for process in processes)


def _free_ports(count):
    # Held open together, so that they differ.
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def _start(command, cluster):
    try:
        return subprocess.Popen(
            command,
            env={**os.environ, "TF_CONFIG": cluster, "PYTHONUNBUFFERED": "1"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,  # else a terminal's Ctrl-C would reach it twice
        )
    except OSError as error:
        raise KerasfaceError(f"can't start {command[0]}: {error.strerror}") from error


def _read(process, index, say):
    for line in process.stdout:
        say(f"[worker {index}] {line.rstrip()}")


def _wait(processes, forwarding):
    """The first process that failed, or None when all went well."""
    while True:
        codes = [process.poll() for process in processes]
        failed = [index for index, code in enumerate(codes) if code]
        if failed and not forwarding.signalled:
            return failed[0]
        if None not in codes:
            return failed[0] if failed else None
        time.sleep(_POLL_SECONDS)


def _end(processes):
    running = [process for process in processes if process.poll() is None]
    for process in running:
        process.terminate()
    deadline = time.monotonic() + _PATIENCE_SECONDS
    for process in running:
        try:
            process.wait(max(0.0, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _fate(code):
    if code >= 0:
        return f"ended with exit code {code}"
    return f"was killed by {signal.Signals(-code).name}"


class _Forwarding:
    """While it lasts, the signals that end a program go to the processes instead."""

    def __init__(self, processes):
        self.processes, self.signalled = processes, False

    def __enter__(self):
        main = threading.current_thread() is threading.main_thread()
        self._old = {number: signal.signal(number, self._forward) for number in _SIGNALS} if main else {}
        return self

    def __exit__(self, *error):
        for number, handler in self._old.items():
            signal.signal(number, handler)

    def _forward(self, number, frame):
        self.signalled = True
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(number)
