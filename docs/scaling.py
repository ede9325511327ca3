"""Runs what docs/scaling.md gives figures of, and writes them into it.

python docs/scaling.py measure PYTHON    # PYTHON: of an environment with JAX, such as .venv-backends/bin/python
python docs/scaling.py render            # the page's figures from the JSON alone
"""

import json
import subprocess
import sys
import tempfile
from pathlib import Path

from marked import put_between

HERE = Path(__file__).parent
RESULT = HERE / "results" / "scaling.json"
PAGE = HERE / "scaling.md"
MARKS = ("<!-- figures: begin (docs/scaling.py writes them) -->", "<!-- figures: end -->")


def measure(python):
    """Trains the sharded head of a million classes and keeps what it took in RESULT."""
    with tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "sharded_head.json"
        subprocess.run([python, HERE.parent / "benchmarks" / "sharded_head.py", "--json", result], check=True)
        RESULT.write_text(result.read_text(encoding="utf-8"), encoding="utf-8")


def render():
    """Writes the figures of RESULT into the page."""
    put_between(MARKS, figures(json.loads(RESULT.read_text(encoding="utf-8"))), PAGE)


def figures(result):
    """The sentence about the sharded head."""
    factor = result["peak_mb"] / result["prototypes_mb"]
    first, *_, last = result["losses"]
    return (
        f"Measured by `benchmarks/sharded_head.py`: ArcFace with {result['classes']:,} classes of "
        f"{result['embedding']} dimensions, a batch of {result['batch']}, {result['devices']} virtual CPUs. Each held "
        f"{max(result['prototypes_mb_a_device']):.0f} MB of the {result['prototypes_mb']:.0f} MB of prototypes, and as "
        f"much of the momentum. The process that held all {result['devices']} of them came to "
        f"{result['peak_mb']:,.0f} MB in {len(result['losses'])} steps, {factor:.1f} times the prototypes; the loss "
        f"went from {first:.2f} to {last:.2f}."
    )


if __name__ == "__main__":
    commands = {"measure": measure, "render": render}
    commands[sys.argv[1]](*sys.argv[2:])
