"""What a machine is called beside the times that it took."""

import os
import platform
from pathlib import Path

__all__ = ["machine_name"]


def machine_name():
    """Returns processor, number of CPUs and system, without any name of a host or user.

    Example:
        >>> machine_name()
        'AMD EPYC, 2 CPUs, Linux x86_64'
    """
    processor = _processor() or platform.processor() or platform.machine()
    return f"{processor}, {os.cpu_count() or 1} CPUs, {platform.system()} {platform.machine()}"


def _processor():
    information = Path("/proc/cpuinfo")
    if not information.is_file():
        return None
    lines = (line.partition(":") for line in information.read_text(encoding="utf-8", errors="replace").splitlines())
    return next((value.strip() for key, _, value in lines if key.strip() == "model name"), None)
