"""Writes docs/peers.md and README's table from benchmarks/results/peers.json: python docs/peers.py."""

import json
from pathlib import Path

from marked import put_between

HERE = Path(__file__).parent
RESULT = HERE.parent / "benchmarks" / "results" / "peers.json"
PAGE = HERE / "peers.md"
README = HERE.parent / "README.md"
MARKS = ("<!-- peers: begin (docs/peers.py writes them) -->", "<!-- peers: end -->")
FAR = "0.001"
SETS = {
    "photos": "LFW's raw photos of 250×250 pixels, pairs of the first two folds",
    "enlarged": "all ten folds on LFW's aligned crops, enlarged threefold on a grey ground",
}


def page(result):
    machine, contenders = result["machine"], result["contenders"]
    lines = [
        "# Beside what you would pick instead",
        "",
        "Written by `python docs/peers.py` from `benchmarks/results/peers.json`, which `python benchmarks/peers.py` "
        "measured; nothing here is typed by hand. The same photos in one run, each contender in an environment of its "
        f"own from PyPI, with its own detector, alignment and embedder as its makers put them together; "
        f"{machine['processor']}, {machine['cores']} cores, Python {machine['python']}.",
        "",
        *costs(contenders, result["timed"]),
    ]
    for kind, title in SETS.items():
        lines += ["", f"## {title[0].upper()}{title[1:]}", "", *accuracies(contenders, kind)]
    packages = "; ".join(f"{name}: {', '.join(row['packages'])}" for name, row in contenders.items() if row["packages"])
    lines += [
        "",
        "## What to know of it",
        "",
        f"- Packages: {packages}. Ours is the wheel built from this checkout, with its base dependencies.",
        "- DeepFace fetches its embedders' weights from GitHub when they are first asked for, which was out of reach: "
        "its cold start and RSS are those of its import and its default detector on one photo, without an embedder.",
        "- Milliseconds are those of one process on photos of 250×250 pixels, file to embedding, in turn; every "
        "contender uses the threads that it takes by default.",
        "- A face that was not found counts as a different person in both kinds of pairs, as on a device.",
        "- TAR at a FAR of 1e-3 rests on three impostor pairs of 3,000, and is left out where the pairs are too few.",
        "- LFW is a test of the year 2007 and near its ceiling: it says little of dark faces, children, masks or faces "
        "seen from the side.",
        "",
    ]
    return "\n".join(lines)


def costs(contenders, timed):
    """Lines of the table of what each takes."""
    first = next(iter(contenders))
    yield (
        f"| | installed, MB | process start to first answer, s | RSS, MB | ms a photo ({timed} photos) | × {first} |"
    )
    yield "|---|---|---|---|---|---|"
    measure = contenders[first]["milliseconds"]
    for name, row in contenders.items():
        milliseconds, ratio = "no embedder", ""
        if "milliseconds" in row:
            milliseconds, ratio = f"{row['milliseconds']:.1f}", f"{row['milliseconds'] / measure:.2f}"
        yield (
            f"| {name} | {row['bytes'] / 1e6:.0f} | {row['cold']['seconds']:.2f} | {row['cold']['megabytes']:.0f} | "
            f"{milliseconds} | {ratio} |"
        )


def accuracies(contenders, kind):
    """Lines of the table of one set."""
    rows = {name: row[kind] for name, row in contenders.items() if kind in row}
    fars = sorted({far for row in rows.values() for far, rate in row["tar"].items() if rate is not None}, key=float)
    yield f"| | pairs | faces found | accuracy | {' | '.join(f'TAR at FAR {far}' for far in fars)} |"
    yield "|---" * (4 + len(fars)) + "|"
    for name, row in rows.items():
        rates = " | ".join("" if row["tar"].get(far) is None else f"{row['tar'][far]:.1%}" for far in fars)
        yield (
            f"| {name} | {row['pairs']:,} | {row['found']:,} of {row['photos']:,} | {row['accuracy']:.2%} ± "
            f"{row['std']:.2%} | {rates} |"
        )


def summary(result):
    """README's table: every cost beside its ratio to the first contender's."""
    contenders = result["contenders"]
    ours = next(iter(contenders.values()))

    def cost(value, unit, own):
        return f"{value:.{0 if value >= 10 else 2}f} {unit} ({value / own:.1f}×)"

    # The accuracy isn't that of all folds, which stands elsewhere in README; the pairs of two are too few for the rate.
    heads = (
        f"LFW, {ours['photos']['pairs']:,} pairs of raw photos | TAR at FAR {FAR}, {ours['enlarged']['pairs']:,} pairs"
    )
    lines = [f"| | installed | cold start | RSS | a photo | {heads} |", "|---|---|---|---|---|---|---|"]
    for name, row in contenders.items():
        cells = [
            cost(row["bytes"] / 1e6, "MB", ours["bytes"] / 1e6),
            cost(row["cold"]["seconds"], "s", ours["cold"]["seconds"]),
            cost(row["cold"]["megabytes"], "MB", ours["cold"]["megabytes"]),
            cost(row["milliseconds"], "ms", ours["milliseconds"]) if "milliseconds" in row else "–",
            f"{row['photos']['accuracy']:.1%}" if "photos" in row else "–",
            f"{row['enlarged']['tar'][FAR]:.1%}" if "enlarged" in row else "–",
        ]
        lines.append(f"| {' | '.join([name, *cells])} |")
    return "\n".join(lines)


if __name__ == "__main__":
    measured = json.loads(RESULT.read_text(encoding="utf-8"))
    PAGE.write_text(page(measured), encoding="utf-8")
    put_between(MARKS, summary(measured), README)
