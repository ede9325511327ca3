"""kerasface doctor."""

import sys

from rich.table import Column, Table
from rich.text import Text

from kerasface.cli.console import console, error_console

__all__ = ["add_to"]

_SIGNS = {"ok": Text("✓", "green"), "absent": Text("–", "dim"), "wrong": Text("✗", "bold red")}


def add_to(app):
    """Adds the command."""
    app.command(name="doctor")(doctor)


def doctor():
    """What works on this machine, and the fix for each thing that doesn't. Exit code 0: nothing is wrong; 1: something.

    ✓ works, – is not there and only matters to who wants it, ✗ is wrong.

    Example: kerasface doctor
    """
    from kerasface.doctor import check_up

    with error_console.status("looking"):
        checkup = check_up()
    table = Table("", "area", Column("what", overflow="fold"), Column("found", overflow="fold"))
    area = None
    for finding in checkup.findings:
        if area not in (None, finding.area):
            table.add_section()
        name, area = "" if finding.area == area else finding.area, finding.area
        table.add_row(_SIGNS[finding.state], name, finding.what, finding.found)
    console.print(table)
    # Below the table, where a command stays in one piece to be copied.
    for finding in checkup.findings:
        if finding.fix:
            what = f"{finding.area}, {finding.what}: {finding.fix}"
            console.print(_SIGNS[finding.state], what, soft_wrap=True, highlight=False)
    wrong = sum(finding.state == "wrong" for finding in checkup.findings)
    console.print(f"to mend: {wrong}, marked ✗" if wrong else "nothing is wrong")
    sys.exit(0 if checkup.healthy else 1)
