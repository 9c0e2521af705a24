"""Which instructions multiply and add bytes on a target."""

from __future__ import annotations

from typing import Literal

__all__ = ["DotInstructions", "best_dot_instructions"]

DotInstructions = Literal[
    "avx512-vbmi", "avx512-vnni", "avx-vnni", "avx2", "i8mm", "dotprod", "neon", "plain"
]

_NEEDED: dict[DotInstructions, set[str]] = {  # LLVM's features, the best first
    "avx512-vbmi": {"avx512vnni", "avx512vbmi", "avx512bw"},
    "avx512-vnni": {"avx512vnni", "avx512bw"},
    "avx-vnni": {"avxvnni"},
    "avx2": {"avx2"},
    "i8mm": {"i8mm", "neon"},
    "dotprod": {"dotprod", "neon"},
}


def best_dot_instructions(arch: str, features: set[str]) -> DotInstructions:
    """Returns the best that a CPU has.

    Args:
        arch: as ``architecture`` names it.
        features: LLVM's names of what the CPU has.
    """
    for name, needed in _NEEDED.items():
        if needed <= features:
            return name
    return "neon" if arch == "aarch64" else "plain"
