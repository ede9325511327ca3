"""The checkup: everything that the doctor looks at, in one call."""

import platform
import sys
from importlib.util import find_spec

from kerasface import __version__
from kerasface.doctor.finding import Checkup, Finding
from kerasface.doctor.packages import EXTRAS, package_findings
from kerasface.doctor.places import place_findings
from kerasface.doctor.runtimes import litert_findings, onnx_findings, tensorflow_findings

__all__ = ["Checkup", "Finding", "check_up"]

_OLDEST_PYTHON = (3, 11)
_AREAS = ("system", "edge", "files", *EXTRAS)


def check_up() -> Checkup:
    """Looks at versions, runtimes, delegates, files and GPUs, and tells the fix for each thing missing.

    Runtimes are asked in processes of their own, so that one which crashes on this machine is a finding. Nothing is
    fetched, and nothing is written but the cache's folder.

    Returns:
        `Checkup`.

    Example:
        >>> checkup = check_up()
        >>> [finding.fix for finding in checkup.findings if finding.state == "wrong"]
        []
    """
    findings = [*_system(), *package_findings(), *litert_findings(), *place_findings()]
    if find_spec("onnxruntime") is not None:
        findings += onnx_findings()
    if find_spec("tensorflow") is not None:
        findings += tensorflow_findings()
    return Checkup(tuple(sorted(findings, key=lambda finding: _AREAS.index(finding.area))))


def _system():
    yield Finding("system", "kerasface", "ok", __version__)
    version = platform.python_version()
    if sys.version_info < _OLDEST_PYTHON:
        needed = ".".join(map(str, _OLDEST_PYTHON))
        yield Finding("system", "Python", "wrong", version, f"make an environment with Python {needed} or newer")
    else:
        yield Finding("system", "Python", "ok", version)
    yield Finding("system", "machine", "ok", f"{platform.system()} {platform.machine()}")
