"""The command line: one Typer app, one file a command group; no logic of its own."""


def main():
    """Runs `kerasface`; the console script's entry."""
    from kerasface.cli.app import run

    run()
