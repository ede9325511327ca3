"""Writes docs/gallery_speed.md from benchmarks/results/gallery_search.json: python docs/gallery_speed.py."""

import json
from pathlib import Path

HERE = Path(__file__).parent
RESULT = HERE.parent / "benchmarks" / "results" / "gallery_search.json"
PAGE = HERE / "gallery_speed.md"
STORAGE = {"clear": "in clear", "key_file": "encrypted, key file", "passphrase": "encrypted, passphrase"}


def page(result):
    machine, versions, people = result["machine"], result["versions"], result["people"]
    agree = all(size["search"]["agree"] for size in result["sizes"].values())
    lines = [
        "# How fast a large gallery answers",
        "",
        "Written by `python docs/gallery_speed.py` from `benchmarks/results/gallery_search.json`, which `python "
        "benchmarks/gallery_search.py` measured; nothing here is typed by hand. Random templates of "
        f"{people:,} people; {machine['processor']}, 2 threads, Python {machine['python']}, NumPy {versions['numpy']}, "
        f"FAISS {versions['faiss']} (flat index: exact). Medians of {result['rounds']} rounds, side by side.",
        "",
        f"## Who is it, of {people:,}",
        "",
        f"| embedding | search | one face, ms | {result['probes']} faces, ms a face |",
        "|---|---|---|---|",
    ]
    for size, row in result["sizes"].items():
        for name, title in (("numpy", "NumPy"), ("faiss", "FAISS")):
            many = row["search"][f"{name}_many_ms"] / result["probes"]
            lines.append(f"| {size} numbers | {title} | {row['search'][f'{name}_one_ms']:.1f} | {many:.2f} |")
    lines += [
        "",
        f"The five nearest people of every face, half of them strangers, {'are' if agree else 'are NOT'} the same in "
        "both.",
        "",
        "## The file",
        "",
        "Opening reads and checks everything; the first answer also prepares the search.",
        "",
        "| embedding | storage | MB | save, s | open, s | first answer, s |",
        "|---|---|---|---|---|---|",
    ]
    for size, row in result["sizes"].items():
        for name, title in STORAGE.items():
            file = row["files"][name]
            lines.append(
                f"| {size} numbers | {title} | {file['file_bytes'] / 1e6:.1f} | {file['save_seconds']:.2f} | "
                f"{file['load_seconds']:.2f} | {file['first_answer_seconds']:.2f} |"
            )
    lines.append("")
    return "\n".join(lines)


if __name__ == "__main__":
    PAGE.write_text(page(json.loads(RESULT.read_text(encoding="utf-8"))), encoding="utf-8")
