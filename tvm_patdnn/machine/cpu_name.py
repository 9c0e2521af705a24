"""The name of this machine's CPU, as results are labelled with it."""

from __future__ import annotations

import platform
from pathlib import Path

from tvm_patdnn.machine.cores import host_cores

__all__ = ["cpu_name"]

_CPUINFO = Path("/proc/cpuinfo")
_NAME_KEYS = ("model name", "Model", "Hardware")


def cpu_name(cpuinfo: Path = _CPUINFO) -> str:
    """Returns the CPU's name and the number of CPUs this process may use."""
    name = _from_cpuinfo(cpuinfo) or platform.processor() or platform.machine()
    return f"{' '.join(name.split())}, {host_cores()} CPUs"


def _from_cpuinfo(cpuinfo: Path) -> str:
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return ""
    pairs = [line.partition(":") for line in lines]
    found = {key.strip(): value.strip() for key, _, value in pairs}
    return next((found[key] for key in _NAME_KEYS if found.get(key)), "")
