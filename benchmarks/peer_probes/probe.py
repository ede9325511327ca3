"""What every contender's process does: photos in, embeddings and milliseconds out. Python and NumPy alone.

A contender gives `run` two functions. The driver, `benchmarks/peers.py`, speaks to the process by lines of standard
input: `cold PHOTO`, `embed LIST OUT.npz`, `time LIST`; each is answered by one line of JSON.
"""

import json
import os
import resource
import sys
import time

import numpy as np


def run(load, embed):
    """Answers the driver until it closes the pipe.

    Args:
        load: () -> a recognizer, with everything that the first photo would load.
        embed: (recognizer, path) -> (D,) float array, or None where no face is found.
    """
    # Libraries print to standard output as they like: answers go to the pipe that it was before.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    recognizer = load()
    for line in sys.stdin:
        command, *words = line.rstrip("\n").split("\t")
        print(json.dumps(COMMANDS[command](recognizer, embed, *words)), file=answers, flush=True)


def cold(recognizer, embed, photo):
    """One photo, and the most memory that the process ever held."""
    found = embed(recognizer, photo) is not None
    return {"found": found, "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024}


def timed(recognizer, embed, listing):
    """Milliseconds a photo over a list, from the file to the embedding."""
    photos = _paths(listing)
    started = time.perf_counter()
    for photo in photos:
        embed(recognizer, photo)
    return {"milliseconds": 1000 * (time.perf_counter() - started) / len(photos)}


def embedded(recognizer, embed, listing, target):
    """Embeds a list and keeps the rows; a photo without a face is a row of NaN."""
    rows = [embed(recognizer, photo) for photo in _paths(listing)]
    size = max((len(row) for row in rows if row is not None), default=0)
    nothing = np.full(size, np.nan)
    np.save(target, np.array([nothing if row is None else row for row in rows], np.float64))
    return {"found": sum(row is not None for row in rows), "photos": len(rows)}


def _paths(listing):
    with open(listing, encoding="utf-8") as lines:
        return lines.read().splitlines()


COMMANDS = {"cold": cold, "time": timed, "embed": embedded}
