"""How many threads TVM runs a model with."""

from __future__ import annotations

import os

from tvm_patdnn.machine.cores import physical_cores

__all__ = ["use_all_cores"]

VARIABLE = "TVM_NUM_THREADS"  # read by TVM once, when its threads are started


def use_all_cores() -> None:
    """Lets TVM run a thread on each physical core, unless the user has chosen a number.

    TVM by itself takes half of what the system counts, even where no core has two threads.
    """
    os.environ.setdefault(VARIABLE, str(physical_cores()))
