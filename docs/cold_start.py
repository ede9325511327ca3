"""Writes docs/cold_start.md from benchmarks/results/cold_start.json: python docs/cold_start.py."""

import json
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE.parent / "benchmarks" / "results" / "cold_start.json"
PAGE = HERE / "cold_start.md"
ROWS = {
    "python": "`python -c pass`",
    "numpy": "`import numpy`",
    "runtime": "`import ai_edge_litert.interpreter` (the bare runtime)",
    "edge": "`import kerasface.edge`, every public name",
    "edge_and_runtime": "the same and the runtime",
    "verify": "`kerasface verify MODEL a.jpg b.jpg`, end to end",
}


def page(result):
    machine, versions, goals = result["machine"], result["versions"], result["goals"]
    verify, extra = result["verify"], result["edge_minus_numpy_seconds"]
    names = {"ai-edge-litert": "LiteRT", "numpy": "NumPy", "typer": "Typer"}
    known = ", ".join(f"{name} {versions[package]}" for package, name in names.items())
    lines = [
        "# Cold start",
        "",
        "Written by `python docs/cold_start.py` from `benchmarks/results/cold_start.json`, which `python "
        "benchmarks/cold_start.py` measured; nothing here is typed by hand. Every figure is of a fresh process, from "
        "start to exit, all in turn in every round: the median, the extremes in brackets, and the peak of resident "
        f"memory. {machine['processor']}, {machine['cores']} cores, Python {machine['python']}, {known}; files in the "
        "page cache; an environment with kerasface's base dependencies alone.",
        "",
        "| process | seconds | MiB |",
        "|---|---|---|",
        *(_row(text, result[name]) for name, text in ROWS.items()),
    ]
    peer = result["deepface"]
    if "seconds" in peer:
        lines.append(_row(f"`from deepface import DeepFace` ({versions['deepface']}), the import alone", peer))
    lines += [
        "",
        f"`verify` reads two photos of 512×600 pixels, finds and aligns the faces, and runs a MobileFaceNet in fp16 of "
        f"{result['model_bytes'] / 1e6:.1f} MB with fresh weights, which start as fast as trained ones.",
        "",
        "| goal | measured | |",
        "|---|---|---|",
        _goal("`verify` in less than {} s", goals["verify_seconds"], verify["seconds"], " s"),
        _goal("`verify` in less than {} MB", goals["verify_megabytes"], verify["megabytes"] * 2**20 / 1e6, " MB"),
        _goal(
            "`import kerasface.edge` in less than {} s beyond NumPy's", goals["edge_minus_numpy_seconds"], extra, " s"
        ),
        "",
        f"With the runtime loaded, which `kerasface.edge` itself leaves until a model is opened, it is "
        f"{result['edge_and_runtime_minus_numpy_seconds']:.2f} s beyond NumPy's.",
        "",
    ]
    if "seconds" in peer:
        lines += [
            f"DeepFace's import, with TensorFlow {versions['tensorflow']} and before any model is loaded, takes "
            f"{peer['seconds'] / verify['seconds']:.0f} times as long as `verify` from start to answer, and "
            f"{peer['megabytes'] / verify['megabytes']:.1f} times its memory.",
            "",
        ]
    else:
        lines += [f"DeepFace could not be installed here: {peer['failure']}", ""]
    return "\n".join(lines)


def _row(text, row):
    span = f"{row['least_seconds']:.2f}–{row['most_seconds']:.2f}"
    return f"| {text} | {row['seconds']:.2f} ({span}) | {row['megabytes']:.0f} |"


def _goal(text, goal, measured, unit):
    return f"| {text.format(goal)} | {measured:.{2 if unit == ' s' else 0}f}{unit} | {_verdict(measured < goal)} |"


def _verdict(met):
    return "met" if met else "missed"


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(RESULT.read_text(encoding="utf-8"))), encoding="utf-8")
