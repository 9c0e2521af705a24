"""The CPUs this process may use, and which of them are threads of one physical core."""

from __future__ import annotations

import os
from pathlib import Path

__all__ = ["choose_cpus", "host_cores", "physical_cores"]

_CPUS = Path("/sys/devices/system/cpu")


def host_cores() -> int:
    """How many CPUs this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def physical_cores(cpus: Path = _CPUS) -> int:
    """Returns how many physical cores this process may use.

    Args:
        cpus: where Linux describes the CPUs.
    """
    if not hasattr(os, "sched_getaffinity"):
        return host_cores()
    return len({_core(cpus, cpu) for cpu in os.sched_getaffinity(0)})


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
        core = _core(cpus, cpu)
        (others if core in seen else first).append(cpu)
        seen.add(core)
    return tuple(sorted([*first, *others][:threads]))


def _core(cpus: Path, cpu: int) -> str:
    """What the CPUs of one core have in common; without a description, each has its own."""
    try:
        return (cpus / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text()
    except OSError:
        return str(cpu)
