"""Writes docs/evaluation_speed.md from benchmarks/results/evaluation.json: python docs/evaluation_speed.py."""

import json
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE.parent / "benchmarks" / "results" / "evaluation.json"
PAGE = HERE / "evaluation_speed.md"


def page(result):
    machine, folds, pairs = result["machine"], result["folds"], result["template_pairs"]
    search, calibration = result["search"], result["calibration"]
    lines = [
        "# How fast evaluation is",
        "",
        "Written by `python docs/evaluation_speed.py` from `benchmarks/results/evaluation.json`, which `python "
        "benchmarks/evaluation.py` measured; nothing here is typed by hand. Random embeddings of "
        f"{result['dim']} dimensions; {machine['processor']}, {result['threads']} threads, Python {machine['python']}, "
        f"NumPy {result['versions']['numpy']}. What is compared ran side by side.",
        "",
        "## 6,000 pairs in ten folds",
        "",
        "| way | seconds | accuracy |",
        "|---|---|---|",
        f"| ours: every threshold that can make a difference | {folds['exact_seconds']:.4f} | "
        f"{folds['exact_accuracy']:.4%} |",
        f"| the usual script: 400 thresholds in Python loops | {folds['grid_seconds']:.3f} | "
        f"{folds['grid_accuracy']:.4%} |",
        "",
        f"The usual script takes {folds['grid_over_exact']:.0f} times as long. The 95 % intervals by identity, a "
        f"thousand replicates with all folds judged anew in each, take {folds['bootstrap_seconds']:.1f} s.",
        "",
        f"## {pairs['pairs']:,} pairs of templates (IJB-C's size)",
        "",
        "| way | seconds |",
        "|---|---|",
        f"| ours: pairs picked out of tables of cosines | {pairs['seconds']:.2f} |",
        f"| floor: the tables' matrix products alone | {pairs['floor_seconds']:.2f} |",
        f"| reading a cell of such a table for every pair, its place known | {pairs['reading_seconds']:.2f} |",
        f"| the usual script: two rows fetched for every pair | {pairs['published_seconds']:.0f} (scaled up from "
        f"{pairs['published_pairs']:,} pairs) |",
        "",
        f"Ours runs at {pairs['floor_seconds'] / pairs['seconds']:.2f} of the speed of the matrix products alone and "
        f"the usual script takes {pairs['published_seconds'] / pairs['seconds']:.0f} times as long as ours. The pairs "
        "are in random order, so that most cells are read from beyond the caches: with products and reading alone the "
        f"share would be {pairs['floor_seconds'] / (pairs['floor_seconds'] + pairs['reading_seconds']):.2f}. Largest "
        f"difference between ours and the usual script's float64: {pairs['largest_difference']:.1e}.",
        "",
        f"## {search['probes']:,} probes against {search['gallery']:,} enrolled, mapped from the disk",
        "",
        "The 20 best of every probe, exactly, in blocks. The files were in the page cache. A probe is an enrolled "
        "embedding with twice its length of random noise, so its own row is its best match with a cosine near 0.45. "
        "Recall is against float32.",
        "",
        "| storage | file, GB | seconds | ms a probe | share of the matrix product's speed | working memory, MiB | "
        "rank-1 recall | recall of the best 20 | own row first |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in search["precisions"].items():
        lines.append(
            f"| {name} | {row['file_bytes'] / 1e9:.2f} | {row['seconds']:.1f} | {row['milliseconds_a_probe']:.1f} | "
            f"{row['floor_share']:.2f} | {row['working_megabytes']:.0f} | {row['rank1_recall']:.2%} | "
            f"{row['rank20_recall']:.2%} | {row['true_rank1']:.2%} |"
        )
    lines += [
        "",
        "## A threshold from all pairs",
        "",
        f"{calibration['pairs']:,} impostor pairs, streamed to a threshold at FAR 1e-3 with its bound: "
        f"{calibration['seconds']:.1f} s, {calibration['working_megabytes']:.0f} MiB of working memory.",
        "",
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(RESULT.read_text(encoding="utf-8"))), encoding="utf-8")
