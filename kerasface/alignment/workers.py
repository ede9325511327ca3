"""Processes that align photos, in order, and outlive a photo that kills one of them."""

import collections
import concurrent.futures
import functools
import itertools
import multiprocessing
import multiprocessing.connection
import os
import signal
import threading
from concurrent.futures.process import BrokenProcessPool

from kerasface.errors import KerasfaceError

__all__ = ["in_processes"]

_CHUNK = 8  # items sent to a process at once
_AHEAD = 4  # chunks a process that wait to be taken, so that a slow photo idles nobody


def in_processes(function, items, jobs, on_death):
    """Yields `function(item)` for each item, in the items' order, computed by several processes.

    A process that dies (out of memory, a bug in a native library) takes its chunk along; each item of that chunk is
    tried once more alone, and what kills its process again becomes `on_death(item)`. When this process ends in whatever
    way, kill -9 included, so do the others, in the middle of an item; so they do when the iteration is given up, by
    Ctrl-C or by closing it.

    Args:
        function: that can be pickled, as must be its results.
        items: iterable.
        jobs: number of processes.
        on_death: function of an item.

    Raises:
        KerasfaceError: no process can be started.
    """
    source = iter(items)
    chunks = iter(lambda: list(itertools.islice(source, _CHUNK)), [])
    waiting: collections.deque = collections.deque()  # (chunk, future), oldest first
    # A pool's shutdown waits for every chunk that its processes were sent, minutes of large photos: given up, they end
    # with this pipe instead.
    lifeline, held = multiprocessing.Pipe(duplex=False)
    begin = functools.partial(_begin, function, lifeline)
    pool = _pool(begin, jobs)
    try:
        _check_start(pool)
        while True:
            for chunk in itertools.islice(chunks, jobs * _AHEAD - len(waiting)):
                waiting.append((chunk, _submitted(pool, chunk)))
            if not waiting:
                return
            chunk, future = waiting.popleft()
            try:
                results = future.result()
            except BrokenProcessPool:
                pool.shutdown(wait=False, cancel_futures=True)
                results = _one_by_one(begin, chunk, on_death)
                pool = _pool(begin, jobs)
                waiting = collections.deque((later, _again(pool, later, kept)) for later, kept in waiting)
            yield from results
    except BaseException:
        held.close()
        raise
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
        held.close()
        lifeline.close()


def _pool(begin, jobs):
    # Spawned, not forked: a forked copy of a runtime's threads and locks hangs.
    context = multiprocessing.get_context("spawn")
    return concurrent.futures.ProcessPoolExecutor(jobs, context, initializer=begin)


def _check_start(pool):
    try:
        pool.submit(os.getpid).result()
    except BrokenProcessPool as error:
        raise KerasfaceError(
            "processes end as soon as they are started: a script that aligns with several of them needs the line "
            '`if __name__ == "__main__":` around what it does. Or use one job.'
        ) from error


def _one_by_one(begin, chunk, on_death):
    results: list = []
    while len(results) < len(chunk):
        pool = _pool(begin, 1)
        try:
            for item in chunk[len(results) :]:
                results += pool.submit(_run_chunk, [item]).result()
        except BrokenProcessPool:
            results.append(on_death(chunk[len(results)]))
        finally:
            pool.shutdown(wait=False)
    return results


def _again(pool, chunk, future):
    done = future.done() and not future.cancelled() and future.exception() is None
    return future if done else _submitted(pool, chunk)


def _submitted(pool, chunk):
    try:
        return pool.submit(_run_chunk, chunk)
    except BrokenProcessPool as error:
        # A process died while results were being taken: the pool says so here, and not in this chunk's future.
        future: concurrent.futures.Future = concurrent.futures.Future()
        future.set_exception(error)
        return future


def _begin(function, lifeline):
    global _function  # noqa: PLW0603 (a process has one task for its life)
    _function = function
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which stops its processes itself
    # LiteRT greets each process from C++, across the parent's progress bar; exceptions come as results.
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    threading.Thread(target=_end_with_parent, args=(lifeline,), daemon=True).start()


def _end_with_parent(lifeline):
    multiprocessing.connection.wait([multiprocessing.parent_process().sentinel, lifeline])
    os._exit(1)


def _run_chunk(chunk):
    return [_function(item) for item in chunk]
