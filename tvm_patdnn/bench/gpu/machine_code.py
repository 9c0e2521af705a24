"""Counts instructions in the machine code of a CUDA kernel, as nvdisasm prints it."""

from __future__ import annotations

import re
import subprocess
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from tvm_patdnn.errors import BenchError

__all__ = ["KernelCode", "disassemble", "read_kernels"]

_FUNCTION = re.compile(r"^\.text\.(\S+):", re.MULTILINE)
_LABEL = re.compile(r"^(\.L_\S+):")
_INSTRUCTION = re.compile(r"^\s*/\*([0-9a-f]{4,})\*/\s+(.*?);")
_JUMP = re.compile(r"\bBRA\S*\s.*?`\((\.L_[^)]*)\)")
_PREDICATE = re.compile(r"^@!?U?P\S+\s+")


@dataclass(frozen=True, kw_only=True)
class KernelCode:
    """How often each instruction stands in a kernel, by its name such as "LDS.64".

    Attributes:
        inner: of each loop without a loop inside that has multiply-adds, in their order.
        outer: of the loop around them, without what is in ``inner``.
    """

    inner: tuple[Counter[str], ...]
    outer: Counter[str]


def disassemble(cubin: Path) -> dict[str, KernelCode]:
    """Returns the kernels of a file, by name.

    Raises:
        BenchError: nvdisasm is missing, or does not read the file.
    """
    try:
        done = subprocess.run(
            ["nvdisasm", "-c", str(cubin)], capture_output=True, text=True, check=False
        )
    except FileNotFoundError as error:
        raise BenchError(
            "nvdisasm: not found, which shows machine code; it is in NVIDIA's CUDA toolkit, and in "
            "PyPI's nvidia-cuda-nvdisasm"
        ) from error
    if done.returncode:
        raise BenchError(f"{cubin}: nvdisasm refuses it: {done.stderr.strip()}")
    return read_kernels(done.stdout)


def read_kernels(text: str) -> dict[str, KernelCode]:
    """Returns the kernels in what nvdisasm printed."""
    parts = _FUNCTION.split(text)
    return {name: _kernel(body) for name, body in zip(parts[1::2], parts[2::2], strict=True)}


def _kernel(body: str) -> KernelCode:
    code, loops = _code_and_loops(body)
    inner = [one for one in loops if not any(_within(other, one) for other in loops)]
    mixes = [_mix(code, one) for one in inner]
    work = [(one, mix) for one, mix in zip(inner, mixes, strict=True) if mix["FFMA"]]
    around = [each for each in loops if work and _within(work[0][0], each)]
    outer: Counter[str] = Counter()
    if around:
        widest = max(around, key=lambda each: each[1] - each[0])
        outer = _mix(code, widest)
        for one, mix in work:
            if _within(one, widest):
                outer.subtract(mix)
    return KernelCode(inner=tuple(mix for _, mix in work), outer=+outer)


Loop = tuple[int, int]  # addresses of its first and its last instruction


def _code_and_loops(body: str) -> tuple[dict[int, str], list[Loop]]:
    code: dict[int, str] = {}
    labels: dict[str, int] = {}
    waiting: list[str] = []
    for line in body.splitlines():
        if label := _LABEL.match(line):
            waiting.append(label[1])
        elif found := _INSTRUCTION.match(line):
            at = int(found[1], 16)
            labels |= dict.fromkeys(waiting, at)
            waiting = []
            code[at] = found[2]
    loops = []
    for at, words in code.items():
        jump = _JUMP.search(words)
        if jump and labels.get(jump[1], at + 1) <= at:
            loops.append((labels[jump[1]], at))
    return code, loops


def _within(one: Loop, other: Loop) -> bool:
    return one != other and other[0] <= one[0] and one[1] <= other[1]


def _mix(code: dict[int, str], loop: Loop) -> Counter[str]:
    inside = (words for at, words in code.items() if loop[0] <= at <= loop[1])
    return Counter(_name(words) for words in inside)


def _name(words: str) -> str:
    name, *modifiers = _PREDICATE.sub("", words).split()[0].split(".")
    wide = [each for each in modifiers if each in ("64", "128")]
    return f"{name}.{wide[0]}" if name in ("LDS", "LDG") and wide else name
