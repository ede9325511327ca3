"""Resolves what kerasface needs on a Raspberry Pi: wheels for aarch64, at the versions that constraints.txt tests.

python export/raspberrypi/pins.py      # writes requirements.txt anew
"""

import json
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

__all__ = ["REQUIREMENTS", "resolve"]

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
REQUIREMENTS = HERE / "requirements.txt"
# Raspberry Pi OS 12 has glibc 2.36.
_NEWEST_GLIBC = 36
_HEAD = "# Written by `python export/raspberrypi/pins.py`: all that kerasface needs on aarch64, each as a wheel.\n"


def resolve(python_version, *options):
    """Asks pip which wheels a Pi would install; nothing is installed here.

    Args:
        python_version: "3.11" on Raspberry Pi OS 12, "3.13" on 13.
        *options: further ones of pip, `-c FILE` or `-r FILE`.

    Returns:
        dict of package to (version, wheel's file name).

    Raises:
        subprocess.CalledProcessError: one of them has no wheel there; pip has said which.
    """
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    platforms = [f"--platform=manylinux_2_{minor}_aarch64" for minor in range(17, _NEWEST_GLIBC + 1)]
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--dry-run"]
        command += ["--ignore-installed", "--only-binary=:all:", "--target", folder, "--report", str(report)]
        command += ["--implementation=cp", f"--python-version={python_version}", *platforms]
        command += ["--platform=manylinux2014_aarch64", *options, *wanted]
        subprocess.run(command, check=True)
        installed = json.loads(report.read_text(encoding="utf-8"))["install"]
    return {
        package["metadata"]["name"].lower().replace("_", "-"): (
            package["metadata"]["version"],
            package["download_info"]["url"].rsplit("/", 1)[1],
        )
        for package in installed
    }


def text(resolved):
    """The requirements' text."""
    return _HEAD + "".join(f"{name}=={version}\n" for name, (version, _) in sorted(resolved.items()))


if __name__ == "__main__":
    REQUIREMENTS.write_text(text(resolve("3.11", "-c", str(ROOT / "constraints.txt"))), encoding="utf-8")
