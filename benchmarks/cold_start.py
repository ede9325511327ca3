"""Cold start: seconds and memory from an empty process to the answer, beside the bare runtime and DeepFace.

    python benchmarks/cold_start.py [--quick] [--json PATH]

Makes two environments in build/cold_start and keeps them there: one with this checkout and its base dependencies, as a
device has it, and one with DeepFace from the package index (its import also needs tf-keras and Flask); where that can't
be installed, the result says so. Every figure is of a fresh process, all contenders in turn in every round, files in
the page cache. The embedder is a MobileFaceNet in fp16 with fresh weights, which start as fast as trained ones.
docs/cold_start.py makes the page.
"""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

from environments import environment
from measure import arguments, keep

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "cold_start"
GOALS = {"verify_seconds": 1.0, "verify_megabytes": 150, "edge_minus_numpy_seconds": 0.35}
ROUNDS = 15
DEEPFACE_ROUNDS = 3
IMPORTS = {
    "python": "pass",
    "numpy": "import numpy",
    "runtime": "from ai_edge_litert.interpreter import Interpreter",
    "edge": "import kerasface.edge as edge\nfor name in edge.__all__: getattr(edge, name)",
    "edge_and_runtime": "import kerasface.edge as edge\nfor name in edge.__all__: getattr(edge, name)\n"
    "from kerasface.edge.runtime import tflite_interpreter\ntflite_interpreter()",
}
MAKE_MODEL = """
import sys
from pathlib import Path
import matplotlib
from PIL import Image, ImageOps
from kerasface import EmbedderSpec, backbones
from kerasface.export import embedder_id, export
folder = Path(sys.argv[1])
model = backbones.get("mobilefacenet")
spec = EmbedderSpec(name="mobilefacenet.fresh", embedder_id="", embedding_size=model.output_shape[-1])
spec = spec.replace(embedder_id=embedder_id(model, spec))
export(model, folder / "mobilefacenet.tflite", to="tflite", spec=spec)
with Image.open(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg") as photo:
    photo.save(folder / "first.jpg")
    ImageOps.mirror(photo).save(folder / "second.jpg")
"""


def run(command):
    """Runs a command to its end; returns seconds and the peak of its resident memory in MiB."""
    quiet = os.open(os.devnull, os.O_RDWR)
    started = time.perf_counter()
    process = os.posix_spawn(
        command[0],
        list(map(str, command)),
        {**os.environ, "PYTHONPATH": "", "CUDA_VISIBLE_DEVICES": "-1"},
        file_actions=[(os.POSIX_SPAWN_DUP2, quiet, number) for number in (0, 1, 2)],
    )
    _, status, usage = os.wait4(process, 0)
    seconds = time.perf_counter() - started
    os.close(quiet)
    code = os.waitstatus_to_exitcode(status)
    # verify also ends with 1: "different people". A Python that fails to import does so too.
    if code not in ((0, 1) if "verify" in command else (0,)):
        raise SystemExit(f"{' '.join(map(str, command))} ended with {code}")
    return seconds, usage.ru_maxrss / 1024


def in_turn(commands, rounds):
    """Median seconds, their extremes and peak memory of each command, after one run that isn't counted."""
    for command in commands.values():
        run(command)
    measured = {name: [] for name in commands}
    for _ in range(rounds):
        for name, command in commands.items():
            measured[name].append(run(command))
    return {
        name: {
            "seconds": statistics.median(seconds for seconds, _ in runs),
            "least_seconds": min(seconds for seconds, _ in runs),
            "most_seconds": max(seconds for seconds, _ in runs),
            "megabytes": max(megabytes for _, megabytes in runs),
            "runs": rounds,
        }
        for name, runs in measured.items()
    }


def versions(python, *packages):
    code = "import sys, importlib.metadata as m; print(*[m.version(name) for name in sys.argv[1:]])"
    done = subprocess.run([python, "-c", code, *packages], capture_output=True, text=True, check=True)
    return dict(zip(packages, done.stdout.split(), strict=True))


def main():
    """Makes the environments, measures, and keeps the result."""
    options = arguments(__doc__.splitlines()[0])
    FOLDER.mkdir(parents=True, exist_ok=True)
    if not (FOLDER / "second.jpg").exists():
        subprocess.run([sys.executable, "-c", MAKE_MODEL, FOLDER], check=True)
    device, failure = environment(FOLDER / "device", "--constraint", ROOT / "constraints.txt", ROOT)
    if device is None:
        raise SystemExit(f"the checkout can't be installed: {failure}")
    if not options.quick:  # what is measured is what stands here now
        reinstall = [device, "-m", "pip", "install", "--quiet", "--no-deps", "--force-reinstall", ROOT]
        subprocess.run(reinstall, check=True)
    subprocess.run([device, "-m", "compileall", "-q", FOLDER / "device" / "lib"], check=False)
    commands = {name: [device, "-c", code] for name, code in IMPORTS.items()}
    photos = [FOLDER / "first.jpg", FOLDER / "second.jpg"]
    model = FOLDER / "mobilefacenet.tflite"
    commands["verify"] = [device.parent / "kerasface", "verify", model, *photos, "--threshold", "0.4"]
    result = {
        "goals": GOALS,
        "versions": versions(device, "numpy", "ai-edge-litert", "typer"),
        "model_bytes": model.stat().st_size,
        **in_turn(commands, 3 if options.quick else ROUNDS),
    }
    result["edge_minus_numpy_seconds"] = result["edge"]["seconds"] - result["numpy"]["seconds"]
    result["edge_and_runtime_minus_numpy_seconds"] = result["edge_and_runtime"]["seconds"] - result["numpy"]["seconds"]
    if not options.quick:
        peer, failure = environment(FOLDER / "deepface", "deepface", "tf-keras", "flask")
        result["deepface"] = {"failure": failure}
        if peer:
            command = [peer, "-c", "from deepface import DeepFace"]
            result["deepface"] = in_turn({"deepface": command}, DEEPFACE_ROUNDS)["deepface"]
            result["versions"] |= versions(peer, "deepface", "tensorflow")
    for name, row in result.items():
        print(name, row, flush=True)
    keep("cold_start", result, options)


if __name__ == "__main__":
    main()
