"""Times all files of the package in turn in one process, for their cards; wants a machine that does nothing else.

    python zoo/retime.py && python zoo/render.py

`kerasface zoo build` times the files that it makes, with whatever else the machine does meanwhile.
"""

import dataclasses
import sys
from pathlib import Path

from rich.console import Console

from kerasface.edge.atomic import write_atomically
from kerasface.progress import progress_bar
from kerasface.zoo.workshop import BuildRecord
from kerasface.zoo.workshop.machine import machine_name
from kerasface.zoo.workshop.timing import time_files

CHECKOUT = Path(__file__).resolve().parents[1]
SHIPPED = CHECKOUT / "kerasface" / "zoo" / "shipped"


def main():
    """Writes the times into the records."""
    paths = sorted((CHECKOUT / "zoo" / "cards").glob("*.json"))
    records = {path: BuildRecord.from_json(path.read_text(encoding="utf-8"), path) for path in paths}
    files = {
        path: [file.path for file in record.model.files.values() if file.path.endswith(".tflite")]
        for path, record in records.items()
    }
    with progress_bar(Console(file=sys.stderr), "timing") as update:
        tree = time_files([SHIPPED / file for of_one in files.values() for file in of_one], update)
    for path, record in records.items():
        names = {Path(file).name for file in files[path]}
        own = {**tree, "files": [file for file in tree["files"] if file["path"] in names]}
        text = dataclasses.replace(record, latency=own, machine=machine_name()).to_json().encode()
        for target in (path, SHIPPED / record.model.name / path.name):
            write_atomically(target, text, mode=0o644)


if __name__ == "__main__":
    main()
