"""What processes do with items; deaths on photos are tested in test_alignment_tree.py."""

import contextlib
import os
import signal
import time

from kerasface.alignment.workers import in_processes

DEADLY, ITEMS = 20, range(200)


class Deadly:
    """Gives back what it gets, but for one item, which kills the process after leaving its number."""

    def __init__(self, left):
        self.left = left

    def __call__(self, item):
        if item == DEADLY:
            self.left.write_text(str(os.getpid()))
            os.kill(os.getpid(), signal.SIGKILL)
        return item


def test_a_process_that_dies_while_results_are_taken_ends_no_run(tmp_path):
    results = in_processes(Deadly(tmp_path / "pid"), ITEMS, 2, on_death=lambda item: -item)
    seen = [next(results)]
    # Once its process is gone, the pool takes no further items, and some are still to be sent.
    _wait_for_death(tmp_path / "pid")
    assert [*seen, *results] == [-item if item == DEADLY else item for item in ITEMS]


def _wait_for_death(left):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        time.sleep(0.05)
        if left.exists() and (number := left.read_text()):
            try:
                os.kill(int(number), 0)
            except ProcessLookupError:
                return
    raise AssertionError("no process has died")


class Slow:
    """Function of a number: the first few at once; of each later one, a file when it is through, seconds later."""

    def __init__(self, folder):
        self.folder = folder

    def __call__(self, item):
        if item >= 8:
            time.sleep(4)
            (self.folder / str(item)).touch()
        return item


def test_giving_up_waits_for_no_item_that_was_begun(tmp_path):
    with contextlib.closing(in_processes(Slow(tmp_path), range(24), 2, None)) as results:
        assert next(results) == 0
    assert not list(tmp_path.iterdir())
