"""Evaluation at the field's sizes: exact folds, IJB-C's pairs, a million enrolled, all pairs of 25,000 images.

    python benchmarks/evaluation.py [--quick] [--json PATH]

Random embeddings of 512 dimensions, 2 threads. Floors are the matrix products alone, on arrays in memory. The usual
published script's algorithms (400 thresholds in Python loops; rows gathered pair by pair) are written here. Writes 3.5
GB of temporary files. docs/evaluation_speed.py makes the page from the result.
"""

import concurrent.futures
import json
import os
import sys
import tempfile
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = "2"

import numpy as np
from measure import PeakMemory, arguments, in_fresh_process, keep, ratio, side_by_side

from kerasface.evaluation import (
    Pairs,
    calibrate_tail,
    identity_intervals,
    impostor_tail,
    open_gallery,
    pair_scores,
    save_gallery,
    search,
    verify,
)

DIM = 512
PRECISIONS = ("float32", "float16", "int8")
# IJB-C's 1:1 protocol: 3,531 enrolment templates against 19,593 verification templates.
FULL = {
    "firsts": 3_531,
    "seconds": 19_593,
    "pairs": 15_658_489,
    "gallery": 1_000_000,
    "probes": 2_000,
    "images": 25_000,
}
QUICK = {"firsts": 400, "seconds": 1_000, "pairs": 80_000, "gallery": 20_000, "probes": 200, "images": 2_000}
_ROWS = 16_384
_SAMPLE = 400_000


def unit_rows(rng, count):
    rows = rng.standard_normal((count, DIM), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def lfw_like():
    """6,000 scores in ten folds, as far apart as a good embedder's."""
    rng = np.random.default_rng(0)
    same = np.tile(np.repeat([True, False], 300), 10)
    scores = (rng.normal(0, 0.12, 6000) + np.where(same, 0.6, 0.05)).astype(np.float32)
    return scores, same, np.repeat(np.arange(10), 600)


def grid_folds(scores, same, folds):
    """The published algorithm: 400 thresholds, each one's accuracy in a Python loop, fold by fold."""
    distances, accuracies = 2 - 2 * scores, []
    thresholds = np.arange(0, 4, 0.01)
    for fold in range(10):
        training, held_out = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        found = []
        for threshold in thresholds:
            predicted = np.less(distances[training], threshold)
            true_accepts = np.sum(np.logical_and(predicted, same[training]))
            true_rejects = np.sum(np.logical_and(np.logical_not(predicted), np.logical_not(same[training])))
            found.append(float(true_accepts + true_rejects) / training.size)
        best = thresholds[np.argmax(found)]
        accuracies.append(np.mean(np.less(distances[held_out], best) == same[held_out]))
    return float(np.mean(accuracies))


def folds(rounds):
    """Ten exact folds beside the 400-threshold grid, and a thousand replicates of the bootstrap."""
    scores, same, numbers = lfw_like()
    seconds = side_by_side(
        {"exact": lambda: verify(scores, same, numbers), "grid": lambda: grid_folds(scores, same, numbers)},
        rounds=rounds,
    )
    rng = np.random.default_rng(1)
    people = np.stack([rng.integers(0, 4000, 6000)] * 2, axis=1)
    people[~same, 1] = people[~same, 0] + 1
    started = time.perf_counter()
    identity_intervals(scores, same, people, folds=numbers, fars=(1e-1, 1e-2, 1e-3))
    bootstrap_seconds = time.perf_counter() - started
    result = {
        "exact_seconds": float(np.median(seconds["exact"])),
        "grid_seconds": float(np.median(seconds["grid"])),
        "grid_over_exact": 1 / ratio(seconds, "exact", "grid"),
        "exact_accuracy": verify(scores, same, numbers).accuracy_mean,
        "grid_accuracy": grid_folds(scores, same, numbers),
        "bootstrap_seconds": bootstrap_seconds,
    }
    print(f"folds: exact {result['exact_seconds']:.4f} s, grid {result['grid_seconds']:.3f} s", flush=True)
    return result


def template_pairs(size):
    """Templates and as many random pairs between enrolment and verification as IJB-C has."""
    rng = np.random.default_rng(2)
    templates = unit_rows(rng, size["firsts"] + size["seconds"])
    first = rng.integers(0, size["firsts"], size["pairs"], dtype=np.int32)
    second = rng.integers(0, size["seconds"], size["pairs"], dtype=np.int32) + np.int32(size["firsts"])
    return templates, Pairs(first, second, np.arange(size["pairs"]) % 800 == 0, np.zeros(size["pairs"], np.int8))


def gathered(templates, pairs):
    """The published algorithm: rows fetched for every pair, 100,000 at a time, in the float64 that it pools in."""
    wide, scores = templates.astype(np.float64), np.empty(len(pairs))
    for start in range(0, len(pairs), 100_000):
        part = slice(start, start + 100_000)
        scores[part] = np.sum(wide[pairs.first[part]] * wide[pairs.second[part]], -1)
    return scores


def table(templates, size):
    """The floor: every enrolment template times every verification template, block by block."""
    left, right = templates[: size["firsts"]], templates[size["firsts"] :]
    height = max(1, 2**24 // len(right))
    out = np.empty((height, len(right)), np.float32)
    for start in range(0, len(left), height):
        part = left[start : start + height]
        np.matmul(part, right.T, out=out[: len(part)])


def reader(pairs, size):
    """The second floor: a cell of a whole table for every pair in the list's order, its place known, by two threads."""
    cells = np.ones(size["firsts"] * size["seconds"], np.float32)
    at = pairs.first.astype(np.int64) * size["seconds"] + pairs.second - size["firsts"]
    scores = np.empty(len(pairs), np.float32)
    halves = slice(len(pairs) // 2), slice(len(pairs) // 2, None)
    threads = concurrent.futures.ThreadPoolExecutor(2)
    return lambda: list(threads.map(lambda half: cells.take(at[half], mode="clip", out=scores[half]), halves))


def pairs_of_templates(size):
    """Seconds of IJB-C's pairs, ours, the floors and the published way."""
    templates, pairs = template_pairs(size)
    seconds = side_by_side(
        {
            "ours": lambda: pair_scores(templates, pairs),
            "floor": lambda: table(templates, size),
            "reading": reader(pairs, size),
        },
        rounds=5,
    )
    # The published way takes minutes for all of them: its batches are alike, so a part is timed.
    few = Pairs(pairs.first[:_SAMPLE], pairs.second[:_SAMPLE], pairs.same[:_SAMPLE], pairs.folds[:_SAMPLE])
    started = time.perf_counter()
    published = gathered(templates, few)
    published_seconds = (time.perf_counter() - started) * len(pairs) / len(few)
    result = {
        "pairs": size["pairs"],
        "seconds": float(np.median(seconds["ours"])),
        "floor_seconds": float(np.median(seconds["floor"])),
        "reading_seconds": float(np.median(seconds["reading"])),
        "published_seconds": published_seconds,
        "published_pairs": len(few),
        "largest_difference": float(np.abs(pair_scores(templates, few) - published).max()),
    }
    print(f"pairs: ours {result['seconds']:.2f} s, floor {result['floor_seconds']:.2f} s, ", end="")
    print(f"reading {result['reading_seconds']:.2f} s, published {published_seconds:.1f} s", flush=True)
    return result


def million(size):
    """Probes against a memory-mapped gallery in three precisions beside the matrix product alone."""
    rng = np.random.default_rng(3)
    with tempfile.TemporaryDirectory() as folder:
        paths = {precision: Path(folder) / f"{precision}.npy" for precision in PRECISIONS}
        blocks = (unit_rows(np.random.default_rng(s), n) for s, n in _parts(size["gallery"]))
        save_gallery(paths["float32"], blocks, rows=size["gallery"])
        enrolled = open_gallery(paths["float32"])
        for precision in PRECISIONS[1:]:
            blocks = (enrolled[start : start + _ROWS] for start in range(0, len(enrolled), _ROWS))
            save_gallery(paths[precision], blocks, rows=size["gallery"], precision=precision)
        # A probe is an enrolled face with noise twice as long as it is itself: a cosine of about 0.45.
        rows = np.sort(rng.choice(size["gallery"], size["probes"], replace=False))
        probes = np.array(enrolled[rows]) + 2.0 * unit_rows(rng, size["probes"])
        floors = [_product_seconds(probes, size["gallery"])]
        found, seconds = {}, {}
        for precision, path in paths.items():
            started = time.perf_counter()
            found[precision] = search(open_gallery(path), probes, 20)
            seconds[precision] = time.perf_counter() - started
            floors.append(_product_seconds(probes, size["gallery"]))
        exact, result = found["float32"], {}
        for number, precision in enumerate(PRECISIONS):
            floor = (floors[number] + floors[number + 1]) / 2
            memory = in_fresh_process(__file__, "memory", paths[precision], size["probes"])
            same20 = [np.isin(a, b).mean() for a, b in zip(found[precision].rows, exact.rows, strict=True)]
            result[precision] = {
                "seconds": seconds[precision],
                "floor_seconds": floor,
                "floor_share": floor / seconds[precision],
                "milliseconds_a_probe": 1000 * seconds[precision] / size["probes"],
                "file_bytes": paths[precision].stat().st_size,
                "working_megabytes": memory["megabytes"],
                "rank1_recall": float((found[precision].rows[:, 0] == exact.rows[:, 0]).mean()),
                "rank20_recall": float(np.mean(same20)),
                "true_rank1": float((found[precision].rows[:, 0] == rows).mean()),
            }
            print(f"search {precision}: {result[precision]}", flush=True)
    return {"gallery": size["gallery"], "probes": size["probes"], "precisions": result}


def _parts(total):
    return [(10 + start, min(_ROWS, total - start)) for start in range(0, total, _ROWS)]


def _product_seconds(probes, gallery):
    """The matrix products that such a search can't do without, on one block in memory again and again."""
    rng = np.random.default_rng(4)
    block = unit_rows(rng, min(_ROWS, gallery))
    out = np.empty((len(probes), len(block)), np.float32)
    probes = probes.astype(np.float32)
    np.matmul(probes, block.T, out=out)
    blocks = min(8, gallery // len(block))  # all blocks take equally long: a few tell
    started = time.perf_counter()
    for _ in range(blocks):
        np.matmul(probes, block.T, out=out)
    return (time.perf_counter() - started) * gallery / (blocks * len(block))


def search_memory(path, probes):
    """Megabytes of working memory at the peak of a search; the mapped file isn't working memory."""
    rng = np.random.default_rng(5)
    wanted = unit_rows(rng, probes)
    search(rng.standard_normal((64, DIM), dtype=np.float32), wanted[:8], 3)  # thread pools are nobody's buffers
    gallery = open_gallery(path)
    with PeakMemory() as peak:
        search(gallery[: 4 * _ROWS], wanted, 20)
    return {"megabytes": peak.megabytes}


def calibration(size):
    """All impostor pairs of a labelled set, streamed, to a threshold."""
    rng = np.random.default_rng(6)
    labels = np.repeat(np.arange(size["images"] // 5), 5)
    embeddings = unit_rows(rng, len(labels))
    started = time.perf_counter()
    tail = impostor_tail(embeddings, labels, rate=1e-3)
    calibrate_tail(tail, far=1e-3, calibrated_on="random", precision="fp32")
    seconds = time.perf_counter() - started
    memory = in_fresh_process(__file__, "tail", size["images"])
    print(f"calibration: {tail.impostor_pairs:,} pairs in {seconds:.1f} s, {memory['megabytes']:.0f} MB", flush=True)
    return {"pairs": tail.impostor_pairs, "seconds": seconds, "working_megabytes": memory["megabytes"]}


def tail_memory(images):
    rng = np.random.default_rng(6)
    embeddings, labels = unit_rows(rng, images), np.arange(images) // 5
    impostor_tail(embeddings[:100], labels[:100], rate=0.1)
    with PeakMemory() as peak:
        impostor_tail(embeddings, labels, rate=1e-3)
    return {"megabytes": peak.megabytes}


def main():
    """Runs all cases and keeps the result."""
    options = arguments(__doc__.splitlines()[0])
    size = QUICK if options.quick else FULL
    result = {
        "dim": DIM,
        "threads": 2,
        "versions": {"numpy": np.__version__},
        "folds": folds(3 if options.quick else 11),
        "template_pairs": pairs_of_templates(size),
        "search": million(size),
        "calibration": calibration(size),
    }
    keep("evaluation", result, options)


if __name__ == "__main__":
    if sys.argv[1:2] == ["memory"]:
        print(json.dumps(search_memory(sys.argv[2], int(sys.argv[3]))))
    elif sys.argv[1:2] == ["tail"]:
        print(json.dumps(tail_memory(int(sys.argv[2]))))
    else:
        main()
