"""LLVM's name of a board's CPU, from what Linux says of it."""

from __future__ import annotations

import re

__all__ = ["board_cpu"]

# Arm's part numbers, of implementer 0x41; from its technical reference manuals.
_ARM = {
    0xC07: "cortex-a7",
    0xD03: "cortex-a53",
    0xD04: "cortex-a35",
    0xD05: "cortex-a55",
    0xD07: "cortex-a57",
    0xD08: "cortex-a72",
    0xD09: "cortex-a73",
    0xD0A: "cortex-a75",
    0xD0B: "cortex-a76",
    0xD0C: "neoverse-n1",
    0xD0D: "cortex-a77",
    0xD40: "neoverse-v1",
    0xD41: "cortex-a78",
    0xD42: "cortex-a78ae",
    0xD44: "cortex-x1",
    0xD46: "cortex-a510",
    0xD47: "cortex-a710",
    0xD48: "cortex-x2",
    0xD49: "neoverse-n2",
    0xD4F: "neoverse-v2",
}
_LEVELS = (
    ("x86-64-v4", {"avx512f", "avx512bw", "avx512cd", "avx512dq", "avx512vl"}),
    ("x86-64-v3", {"avx2", "fma", "bmi2", "f16c", "movbe"}),
    ("x86-64-v2", {"sse4_2", "popcnt", "ssse3"}),
)


def board_cpu(machine: str, cpuinfo: str) -> str:
    """Returns the name; "generic" where it is not known.

    Args:
        machine: as `uname -m` says.
        cpuinfo: the text of /proc/cpuinfo. Of several kinds of cores the last counts: on phones
            and boards those are the fast ones.
    """
    if machine in ("x86_64", "amd64"):
        found = re.search(r"^flags\s*:(.*)$", cpuinfo, re.MULTILINE)
        flags = set(found[1].split()) if found else set()
        return next((name for name, needed in _LEVELS if needed <= flags), "x86-64")
    parts = re.findall(
        r"^CPU implementer\s*:\s*0x41$.*?^CPU part\s*:\s*(\w+)$", cpuinfo, re.MULTILINE | re.DOTALL
    )
    return _ARM.get(int(parts[-1], 16), "generic") if parts else "generic"
