import sys

import pytest

from tests.pattern_faces import faces, lfw  # noqa: F401 (fixtures)


@pytest.fixture
def kerasface(monkeypatch, capsys):
    """Runs the command line in this process, through the same `main` as the console script.

    Returns (exit code, standard output, standard error).
    """
    monkeypatch.setenv("COLUMNS", "200")

    def run(*arguments):
        from kerasface.cli import console, main

        # Rich measures the terminal when it prints; the console objects were made when the module was imported.
        monkeypatch.setattr(console.console, "_width", 200)
        monkeypatch.setattr(console.error_console, "_width", 200)
        monkeypatch.setattr(sys, "argv", ["kerasface", *map(str, arguments)])
        with pytest.raises(SystemExit) as exit_:
            main()
        printed = capsys.readouterr()
        return exit_.value.code or 0, printed.out, printed.err

    return run
