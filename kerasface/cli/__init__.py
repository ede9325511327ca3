"""The command line: one Typer app, one file a command group; no logic of its own."""

import sys


def main():
    """Runs `kerasface`; the console script's entry. Ctrl-C is exit code 130."""
    if getattr(sys.stdout, "errors", None) == "strict":
        # A pipe on Windows and some locales hold neither all people's names nor the tables' signs: better "J\xfcrgen"
        # than a traceback. Standard error does so by itself.
        sys.stdout.reconfigure(errors="backslashreplace")
    # While a command runs Typer catches it; it may also come during the imports before.
    try:
        from kerasface.cli.app import run

        run()
    except KeyboardInterrupt:
        sys.exit(130)
