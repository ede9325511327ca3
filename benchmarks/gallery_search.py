"""Asking a gallery of 100,000: NumPy's product beside FAISS's flat index, and what it takes to open the file.

    python benchmarks/gallery_search.py [--quick] [--json PATH]

Random templates, 2 threads. A known probe is a template with noise as long as itself, as many probes again are
strangers. docs/gallery_speed.py makes the page.
"""

import os
import statistics
import tempfile
import time
from pathlib import Path

os.environ["OPENBLAS_NUM_THREADS"] = os.environ["OMP_NUM_THREADS"] = "2"

import faiss
import numpy as np
from measure import arguments, keep, side_by_side

from kerasface.edge import Gallery, Secret
from kerasface.edge.galleries.row_search import FaissSearch, ProductSearch
from kerasface.spec import EmbedderSpec

FULL = {"people": 100_000, "rounds": 11}
QUICK = {"people": 5_000, "rounds": 3}
SIZES = (128, 512)
PROBES = 64
SECRETS = {"clear": None, "key_file": Secret("key file", bytes(32)), "passphrase": Secret.passphrase("benchmark")}


def unit_rows(rng, count, size):
    rows = rng.standard_normal((count, size), dtype=np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def searches(size, people, rounds):
    """Milliseconds of both searches for one face and for many, and whether they agree."""
    rng = np.random.default_rng(size)
    rows, starts = unit_rows(rng, people, size), np.arange(people)
    known = rows[rng.choice(people, PROBES // 2)] + unit_rows(rng, PROBES // 2, size)
    probes = np.concatenate([known, rng.standard_normal((PROBES // 2, size), dtype=np.float32)])
    probes /= np.linalg.norm(probes, axis=1, keepdims=True)
    ways = {"numpy": ProductSearch(rows, starts), "faiss": FaissSearch(rows, starts, faiss)}
    result = {}
    for count, label in ((1, "one"), (PROBES, "many")):
        calls = {name: lambda way=way, count=count: way.nearest(probes[:count], 1) for name, way in ways.items()}
        seconds = side_by_side(calls, rounds=rounds)
        result |= {f"{name}_{label}_ms": 1000 * statistics.median(times) for name, times in seconds.items()}
    found = [np.array(way.nearest(probes, 5)) for way in ways.values()]
    result["agree"] = bool(np.array_equal(np.sort(found[0]), np.sort(found[1])))
    return result


def files(size, people):
    """Seconds to save and to open a gallery, in clear and encrypted, and to answer the first question."""
    gallery = Gallery(EmbedderSpec(name="benchmark", embedder_id="b", embedding_size=size))
    rows = unit_rows(np.random.default_rng(1), people, size)
    for number, row in enumerate(rows):
        gallery.enroll(f"person {number}", row)
    result = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, secret in SECRETS.items():
            path, gallery.secret = Path(folder) / name, secret
            started = time.perf_counter()
            gallery.save(path)
            saved = time.perf_counter()
            loaded = Gallery.load(path, secret=secret)
            opened = time.perf_counter()
            loaded.identify(rows[0], 0.5)
            answered = time.perf_counter()
            result[name] = {
                "save_seconds": saved - started,
                "load_seconds": opened - saved,
                "first_answer_seconds": answered - opened,
                "file_bytes": path.stat().st_size,
            }
    return result


def main():
    """Measures both sizes and keeps the result."""
    options = arguments(__doc__.splitlines()[0])
    setting = QUICK if options.quick else FULL
    result = {"people": setting["people"], "probes": PROBES, "rounds": setting["rounds"], "sizes": {}}
    result["versions"] = {"numpy": np.__version__, "faiss": faiss.__version__}
    for size in SIZES:
        result["sizes"][str(size)] = {
            "search": searches(size, setting["people"], setting["rounds"]),
            "files": files(size, setting["people"]),
        }
        print(size, result["sizes"][str(size)], flush=True)
    keep("gallery_search", result, options)


if __name__ == "__main__":
    main()
