"""How many threads TVM runs a model with."""

from __future__ import annotations

import os
from pathlib import Path

from tvm_patdnn.machine.host_cpu import host_cores

__all__ = ["physical_cores", "use_all_cores"]

VARIABLE = "TVM_NUM_THREADS"  # read by TVM once, when its threads are started
_CPUS = Path("/sys/devices/system/cpu")


def use_all_cores() -> None:
    """Lets TVM run a thread on each physical core, unless the user has chosen a number.

    TVM by itself takes half of what the system counts, even where no core has two threads.
    """
    os.environ.setdefault(VARIABLE, str(physical_cores()))


def physical_cores(cpus: Path = _CPUS) -> int:
    """Returns how many physical cores this process may use.

    Args:
        cpus: where Linux describes the CPUs.
    """
    if not hasattr(os, "sched_getaffinity"):
        return host_cores()
    try:
        siblings = {
            (cpus / f"cpu{cpu}" / "topology" / "thread_siblings_list").read_text()
            for cpu in os.sched_getaffinity(0)
        }
    except OSError:
        return host_cores()
    return len(siblings)
