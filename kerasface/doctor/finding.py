"""What the doctor found: one line of the checkup."""

import dataclasses
import json
from typing import Literal

__all__ = ["Checkup", "Finding"]


@dataclasses.dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Args:
        area: "system", "edge", "files", "training" or another extra's name.
        what: was looked at.
        state: "ok"; "absent", which only matters to who wants it; "wrong", which keeps something from working.
        found: versions, paths, counts, or why it is wrong.
        fix: what mends it, a command where there is one; "" when ok.
    """

    area: str
    what: str
    state: Literal["ok", "absent", "wrong"]
    found: str
    fix: str = ""


@dataclasses.dataclass(frozen=True)
class Checkup:
    """All findings, in the order in which things build on each other.

    Args:
        findings: of `Finding`.
    """

    findings: tuple[Finding, ...]

    @property
    def healthy(self) -> bool:
        """Whether nothing is wrong; what is absent doesn't count."""
        return all(finding.state != "wrong" for finding in self.findings)

    def to_json(self) -> str:
        """Returns the checkup as a JSON text."""
        return json.dumps({"findings": [dataclasses.asdict(finding) for finding in self.findings]}, sort_keys=True)
