"""Environments of their own for contenders from the package index: made once, weighed, used again."""

import os
import shutil
import subprocess
import venv


def environment(folder, *requirements):
    """Makes an environment, anew when its requirements change.

    Args:
        folder: where it lies.
        requirements: words for `pip install`.

    Returns:
        its Python and None, or None and pip's last words.
    """
    python, wanted = folder / "bin" / "python", "\n".join(map(str, requirements))
    done = folder / "installed"
    if not done.is_file() or done.read_text() != wanted:
        shutil.rmtree(folder, ignore_errors=True)
        venv.create(folder, with_pip=True)
        empty = weigh(folder)
        pip = [python, "-m", "pip", "install", "--quiet", *requirements]
        # What PYTHONPATH shows, a checkout for one, would count as installed.
        clean = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
        ended = subprocess.run(pip, capture_output=True, text=True, check=False, env=clean)
        if ended.returncode:
            return None, (ended.stderr.strip().splitlines() or ["pip failed"])[-1]
        (folder / "empty").write_text(str(empty))
        done.write_text(wanted)
    return python, None


def installed_bytes(folder):
    """What the packages of an environment take on the disk, without what an empty one has."""
    return weigh(folder) - int((folder / "empty").read_text())


def weigh(folder):
    """Bytes of all files but compiled copies of Python's."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return sum(path.stat().st_size for path in files if path.suffix != ".pyc")
