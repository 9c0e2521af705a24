"""What the measurements are made on, and which of its CPUs take part."""

from __future__ import annotations

import os
import platform
from pathlib import Path

__all__ = ["choose_cpus", "cpu_name"]

_CPUS = Path("/sys/devices/system/cpu")
_CPUINFO = Path("/proc/cpuinfo")
_NAME_KEYS = ("model name", "Model", "Hardware")


def choose_cpus(threads: int, cpus: Path = _CPUS) -> tuple[int, ...]:
    """Chooses ``threads`` CPUs, on as many physical cores as there are.

    Args:
        threads: how many threads will compute.
        cpus: where Linux describes the CPUs.

    Returns:
        Their numbers; none where the system does not tell, which means all.
    """
    if not hasattr(os, "sched_getaffinity"):
        return ()
    first: list[int] = []
    others: list[int] = []
    seen: set[str] = set()
    for cpu in sorted(os.sched_getaffinity(0)):
        core = _siblings(cpus, cpu)
        (others if core in seen else first).append(cpu)
        seen.add(core)
    return tuple(sorted([*first, *others][:threads]))


def _siblings(cpus: Path, cpu: int) -> str:
    try:
        return (cpus / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text()
    except OSError:
        return str(cpu)


def cpu_name(cpuinfo: Path = _CPUINFO) -> str:
    """Returns the CPU's name and the number of CPUs this process may use."""
    name = _from_cpuinfo(cpuinfo) or platform.processor() or platform.machine()
    count = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{' '.join(name.split())}, {count} CPUs"


def _from_cpuinfo(cpuinfo: Path) -> str:
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return ""
    pairs = [line.partition(":") for line in lines]
    found = {key.strip(): value.strip() for key, _, value in pairs}
    return next((found[key] for key in _NAME_KEYS if found.get(key)), "")
