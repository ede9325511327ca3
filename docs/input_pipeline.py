"""Writes docs/input_pipeline.md from benchmarks/results/input_pipeline.json: python docs/input_pipeline.py."""

import json
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE.parent / "benchmarks" / "results" / "input_pipeline.json"
PAGE = HERE / "input_pipeline.md"
SOURCES = ("folder", "packed", "rec")
# What was aimed at: times the floor without augmentation, times a PyTorch DataLoader of equal work.
OF_FLOOR, OF_PYTORCH = 0.8, 1.5
NAMES = {
    "floor, graph": "floor: `tf.io.decode_jpeg` alone, a batch in a graph",
    "floor, tf.data": "floor: `tf.io.decode_jpeg` alone, in tf.data",
    "folder": "ours, class folder",
    "packed": "ours, packed folder",
    "rec": "ours, `.rec`",
    "folder, augmented": "ours, class folder, augmented",
    "packed, augmented": "ours, packed folder, augmented",
    "rec, augmented": "ours, `.rec`, augmented",
    "PyTorch": "PyTorch DataLoader with Pillow",
    "PyTorch, augmented": "PyTorch DataLoader with Pillow, augmented",
}


def page(result):
    """The page's text."""
    machine, rows, versions = result["machine"], result["rows"], result["versions"]
    lines = [
        "# How fast photos come in",
        "",
        "Written by `python docs/input_pipeline.py` from `benchmarks/results/input_pipeline.json`, which `python "
        "benchmarks/input_pipeline.py DATA` measured; nothing here is typed by hand. "
        f"{result['images']:,} aligned 112×112 JPEGs in the page cache, batches of {result['batch']}; "
        f"{machine['cores']} cores of {machine['processor']}, Python {machine['python']}, TensorFlow "
        f"{versions['tensorflow']}, torch {versions['torch']}, Pillow {versions['pillow']}. All contenders run in "
        "turn; a ratio is the median over the rounds of the speed relative to the other's in the same round. The floor "
        "is decoding of the same bytes in memory on all cores, by the faster of its two ways; the DataLoader has a "
        "worker a core and the same augmentation in Pillow. Processor time is of all threads of ours and of the floor.",
        "",
        "| | images/s | × floor | × PyTorch of equal work | processor µs an image |",
        "|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        used = row["processor_microseconds"]
        lines.append(
            f"| {NAMES[name]} | {row['images_per_second']:,.0f} | {row['of_floor']:.2f} | {row['of_pytorch']:.2f} | "
            f"{'' if used is None else f'{used:.0f}'} |"
        )
    lines += ["", "## What was aimed at", "", "| goal | measured | |", "|---|---|---|"]
    for source in SOURCES:
        lines.append(_goal(f"{NAMES[source]}: ≥ {OF_FLOOR} × the floor", rows[source]["of_floor"], OF_FLOOR))
    for source in (*SOURCES, *(f"{source}, augmented" for source in SOURCES)):
        lines.append(_goal(f"{NAMES[source]}: ≥ {OF_PYTORCH} × PyTorch", rows[source]["of_pytorch"], OF_PYTORCH))
    floor = rows[result["floor"]]["processor_microseconds"]
    beyond = {source: rows[source]["processor_microseconds"] - floor for source in SOURCES}
    shared = rows["folder, augmented"]["images_per_second"]
    lines += [
        "",
        "An image costs "
        + ", ".join(f"{beyond[source]:.0f} µs ({source})" for source in SOURCES)
        + f" of processor time beyond the {floor:.0f} µs of the floor, for what the floor doesn't do: reading the file "
        "or its span, the accurate inverse transform, finding the photo of each place of the stream, batches with "
        f"their labels. A device that trains fewer than {shared:,.0f} images/s beside {machine['cores']} such cores "
        "doesn't wait for augmented photos; training on the cores themselves shares them. The terminal shows it as "
        "`data wait` (see [tensorboard.md](tensorboard.md)).",
        "",
    ]
    return "\n".join(lines)


def _goal(goal, measured, least):
    return f"| {goal} | {measured:.2f} | {'reached' if measured >= least else 'missed'} |"


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(RESULT.read_text(encoding="utf-8"))), encoding="utf-8")
