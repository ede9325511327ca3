"""What an installation takes: builds the wheel, installs it with each extra into a fresh environment, weighs it.

python docs/installed.py measure    # needs PyPI; some minutes and 4 GB of disk
python docs/installed.py            # the page from the JSON alone
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from marked import put_between

HERE = Path(__file__).parent
RESULT = HERE / "results" / "installed.json"
PAGE = HERE / "install.md"
MARKS = ("<!-- figures: begin (docs/installed.py writes them) -->", "<!-- figures: end -->")
EXTRAS = ("", "train", "all")
# What a user types first, each in the environment that should be enough for it.
TRIALS = {
    "": ("kerasface --version", "kerasface verify --help"),
    "train": ("kerasface --version", "kerasface train --help"),
    "all": ("kerasface --version", "kerasface zoo import --help"),
}


def measure():
    """Builds, installs and weighs."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        subprocess.run([sys.executable, "-m", "build", "--outdir", folder, HERE.parent], check=True)
        wheel, source = next(folder.glob("*.whl")), next(folder.glob("*.tar.gz"))
        installations = {}
        for extra in EXTRAS:
            environment = folder / (extra or "edge")
            subprocess.run([sys.executable, "-m", "venv", environment], check=True)
            empty, started = weigh(environment), time.perf_counter()
            wanted = f"{wheel}[{extra}]" if extra else str(wheel)
            pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", wanted]
            subprocess.run([*pip, "--constraint", HERE.parent / "constraints.txt"], check=True)
            seconds = time.perf_counter() - started
            for command in TRIALS[extra]:
                subprocess.run(
                    [environment / "bin" / "kerasface", *command.split()[1:]], check=True, capture_output=True
                )
            listing = [environment / "bin" / "python", "-m", "pip", "list", "--format", "json"]
            packages = json.loads(subprocess.run(listing, check=True, capture_output=True, text=True).stdout)
            installations[extra] = {
                "bytes": weigh(environment) - empty,
                "packages": len(packages) - 2,  # pip and setuptools were there
                "seconds": seconds,
                "tried": list(TRIALS[extra]),
            }
            print(extra or "edge", installations[extra], flush=True)
        result = {
            "python": sys.version.split()[0],
            "wheel_bytes": wheel.stat().st_size,
            "source_bytes": source.stat().st_size,
            "installations": installations,
        }
    RESULT.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")


def weigh(folder):
    """Bytes of all files but compiled copies of Python's."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc")


def figures(result):
    """The page's measured part."""
    lines = [
        f"Measured by `python docs/installed.py measure` on Python {result['python']}, Linux x86_64: the wheel is "
        f"{result['wheel_bytes'] / 1e6:.1f} MB, the source archive {result['source_bytes'] / 1e6:.1f} MB.",
        "",
        "| installed | packages | on the disk | tried afterwards |",
        "|---|---|---|---|",
    ]
    for extra, row in result["installations"].items():
        name = f"kerasface[{extra}]" if extra else "kerasface"
        tried = ", ".join(f"`{command}`" for command in row["tried"])
        lines.append(f"| `{name}` | {row['packages']} | {row['bytes'] / 1e6:,.0f} MB | {tried} |")
    return "\n".join(lines)


def render():
    """Puts the figures between the page's marks."""
    put_between(MARKS, figures(json.loads(RESULT.read_text(encoding="utf-8"))), PAGE)


if __name__ == "__main__":
    if sys.argv[1:] == ["measure"]:
        measure()
    elif sys.argv[1:]:
        raise SystemExit(__doc__)
    render()
