"""Writes docs/heads-speed.md from benchmarks/results/heads.json, which `python benchmarks/heads.py` keeps.

python docs/heads_speed.py
"""

import json
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE.parent / "benchmarks" / "results" / "heads.json"
PAGE = HERE / "heads-speed.md"
# What was aimed at: (contender, figure, at most).
GOALS = [("fused", "time", 1.25), ("fused", "memory", 1.2), ("chunked", "time", 1.5), ("chunked", "memory", 0.15)]
PARTIAL_GOAL = 0.2
# Kernels by what they do; the rest moves small things about.
PRODUCTS = ("_MklMatMul", "MatMul")
WRITES = ("InplaceUpdate", "InplaceAdd", "TensorScatterUpdate")


def page(result):
    """The page's text."""
    machine, versions = result["machine"], result["versions"]
    lines = [
        "# How fast the heads are",
        "",
        "Written by `python docs/heads_speed.py` from `benchmarks/results/heads.json`; nothing here is typed by hand. "
        "`make benchmark` measures anew.",
        "",
        f"Forward and backward of ArcFace and nothing else: batch {result['batch']}, {result['dim']} dimensions, "
        f"float32, {result['threads']} threads of {machine['processor']}, no GPU (none was at hand). TensorFlow "
        f"{versions['tensorflow']}, Keras {versions['keras']}, torch {versions['torch']}. All contenders run in turn "
        "in one process; a ratio is the median over the rounds of the time relative to the floor's in the same round. "
        "The floor is the three matrix products that no head can do without. Memory is the peak of a run in a process "
        "of its own, beyond inputs, prototypes and their two gradients, in units of one (B, C) float32 buffer. "
        f"`chunk_size` is {result['chunk']:,}.",
        "",
        "| classes | | seconds | × floor | (B, C) buffers |",
        "|---|---|---|---|---|",
    ]
    for classes, rows in result["heads"].items():
        for name, row in rows.items():
            lines.append(
                f"| {int(classes):,} | {result['names'][name]} | {row['seconds']:.3f} | {row['ratio']:.2f} | "
                f"{row['memory']['buffers']:.2f} |"
            )
    lines += ["", "## What was aimed at", "", "| classes | goal | measured | |", "|---|---|---|---|"]
    for classes, rows in result["heads"].items():
        lines += [goal_line(classes, rows[name], name, *goal) for name, *goal in GOALS if name in rows]
        if "torch" in rows:
            rival = min(rows["one_hot"]["seconds"], rows["torch"]["seconds"])
            faster = rival / rows["fused"]["seconds"]
            verdict = "reached" if faster > 1 else "missed"
            lines.append(
                f"| {int(classes):,} | fused faster than the one-hot and the PyTorch form | {faster:.2f} × as fast as "
                f"the better one | {verdict} |"
            )
    for classes, step in result["partial_fc"].items():
        verdict = "reached" if step["ratio"] <= PARTIAL_GOAL else "missed"
        lines.append(
            f"| {int(classes):,} | PartialFC r = 0.1 with its update ≤ {PARTIAL_GOAL} × the full head's step | "
            f"{step['ratio']:.3f} × ({step['partial']['seconds']:.2f} s against {step['full']['seconds']:.2f} s) | "
            f"{verdict} |"
        )
    return "\n".join([*lines, "", *bounds(result)]) + "\n"


def goal_line(classes, row, name, figure, most):
    """One goal and what became of it."""
    measured = row["ratio"] if figure == "time" else row["memory"]["buffers"]
    unit = "× floor" if figure == "time" else "buffers"
    verdict = "reached" if measured <= most else f"missed by {measured - most:.2f}"
    return f"| {int(classes):,} | {name}: {figure} ≤ {most} {unit} | {measured:.2f} | {verdict} |"


def bounds(result):
    """Where the fused loss spends what it spends beyond the floor."""
    lines = [
        "## What bounds it",
        "",
        "Kernel times of one call as TensorFlow's profiler has them, in milliseconds. Kernels overlap on the "
        "threads, so the columns add up to more than the wall clock shows.",
        "",
        "| classes | | matrix products | entry by entry | written in place | kernels started |",
        "|---|---|---|---|---|---|",
    ]
    for classes, contenders in result["kernels"].items():
        for name, kernels in contenders.items():
            products, writes = (sum(kernels[k]["seconds"] for k in kind if k in kernels) for kind in (PRODUCTS, WRITES))
            rest = sum(kernel["seconds"] for kernel in kernels.values()) - products - writes
            count = sum(kernel["count"] for kernel in kernels.values())
            lines.append(
                f"| {int(classes):,} | {result['names'][name]} | {products * 1e3:.0f} | {rest * 1e3:.0f} | "
                f"{writes * 1e3:.0f} | {count:,} |"
            )
    return [
        *lines,
        "",
        "Beyond the products, every logit is exponentiated twice and every prototype read once more for its length and "
        "once for the part of the gradient along it: passes that the memory bounds, not the arithmetic. At ten "
        "thousand classes a block is a tenth of all of them, so a block's own tensors weigh as much as a part of the "
        "(B, C) buffer, and starting the kernels takes a share of its own; smaller blocks need less memory and more "
        "starts. At a million classes inputs, prototypes and gradients are 4 GB, and how long this machine takes to "
        "hand out such memory differs from round to round by more than the losses do.",
    ]


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(RESULT.read_text(encoding="utf-8"))), encoding="utf-8")
