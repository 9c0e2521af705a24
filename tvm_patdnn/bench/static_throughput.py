"""What share of a CPU's peak a kernel's inner loops can reach, by static analysis.

``python -m tvm_patdnn.bench.static_throughput`` compiles VGG's convolutions for boards that
are not here, and asks llvm-mca how many cycles their inner loops take if every load hits the
nearest cache. That is a bound from the instructions alone, not a latency.
"""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tvm_patdnn.bench.sample_layers import VGG_LAYERS
from tvm_patdnn.errors import BenchError

__all__ = ["Analyser", "Loop", "inner_loops"]

_TOOL = "llvm-mca"
_ITERATIONS = 100
_ROOM = re.compile(r"^\s*(vfmadd\d+ps|fmla)\b")
_LABEL = re.compile(r"^([.\w$]+):")
_JUMP = re.compile(r"^\s*(?:j\w+|b\.\w+|cbn?z|tbn?z|b)\s.*?([.\w$]+)\s*$")
_PEAK_ADDS = {  # independent multiply-adds, as many as hide their latency
    "aarch64": [f"fmla v{i}.4s, v30.4s, v31.4s" for i in range(24)],
    "x86_64": [f"vfmadd231ps %ymm14, %ymm15, %ymm{i}" for i in range(14)],
}
_HEADING = f"""# Predicted throughput on CPUs that are not here

Written by `python -m tvm_patdnn.bench.static_throughput`: what share of a core's peak of
multiply-adds the inner loops of the pruned layers reach by {_TOOL}, the least of a layer's
loops over whole tiles, if every load hits the nearest cache. It is a bound from the
instructions alone, not a latency: caches, and the ends of short lists, take more.
"""
_BLOCKS = {1: "Single filters", 4: "Blocks of 4 filters"}
_TARGETS = ("raspberry-pi-4", "raspberry-pi-5", "x86-64-v3")


@dataclass(frozen=True)
class Loop:
    """The body of a loop without loops inside.

    Attributes:
        lines: its instructions.
        multiply_adds: how many of them multiply and add vectors.
    """

    lines: tuple[str, ...]
    multiply_adds: int


def inner_loops(assembly: str) -> list[Loop]:
    """Returns the loops that jump to their own first instruction, if they multiply and add."""
    return [loop for loop in map(_as_loop, _blocks(assembly)) if loop and loop.multiply_adds]


def _blocks(assembly: str) -> Iterator[tuple[str, list[str]]]:
    """Yields the label of each block of code, and its lines."""
    label, lines = "", list[str]()
    for line in assembly.splitlines():
        found = _LABEL.match(line)
        if found:
            yield label, lines
            label, lines = found[1], []
        elif line.strip() and not line.lstrip().startswith((".", "#", "//")):
            lines.append(line)
    yield label, lines


def _as_loop(block: tuple[str, list[str]]) -> Loop | None:
    label, lines = block
    for end, line in enumerate(lines):
        jump = _JUMP.match(line)
        if jump and jump[1] == label:
            body = tuple(lines[: end + 1])
            return Loop(body, sum(bool(_ROOM.match(each)) for each in body))
    return None


@dataclass(frozen=True)
class Analyser:
    """Asks llvm-mca about one CPU.

    Attributes:
        triple, cpu: as LLVM calls them.

    Raises:
        BenchError: llvm-mca is missing, or does not understand the code.
    """

    triple: str
    cpu: str

    def share_of_peak(self, loop: Loop) -> float:
        """Returns the multiply-adds a cycle of a loop over the most that the CPU can do."""
        peak = _PEAK_ADDS[self.triple.partition("-")[0]]
        most = len(peak) / self._cycles(peak)
        return loop.multiply_adds / self._cycles(loop.lines) / most

    def _cycles(self, lines: Sequence[str]) -> float:
        """Returns the cycles of one repetition."""
        if shutil.which(_TOOL) is None:
            raise BenchError(f"no {_TOOL}: install LLVM's tools (Debian: apt-get install llvm)")
        command = [_TOOL, f"-mtriple={self.triple}", f"-mcpu={self.cpu}"]
        done = subprocess.run(
            [*command, f"-iterations={_ITERATIONS}", "-"],
            input="\n".join(lines),
            capture_output=True,
            text=True,
            check=False,
        )
        found = re.search(r"Total Cycles:\s+(\d+)", done.stdout)
        if found is None:
            raise BenchError(f"{_TOOL} for {self.cpu}: {done.stderr.strip() or 'no result'}")
        return int(found[1]) / _ITERATIONS


def _main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tvm_patdnn.bench.static_throughput")
    parser.add_argument("targets", metavar="TARGET", nargs="*", default=_TARGETS)
    targets = parser.parse_args().targets
    print(_HEADING)
    for block, title in _BLOCKS.items():
        print(f"## {title}\n")
        print(f"| layer | {' | '.join(targets)} |\n{'|---' * (len(targets) + 1)}|")
        for layer in VGG_LAYERS[1:]:
            pruned = layer.pruned(filter_block=block)
            shares = [f"{_weakest(pruned, target):.0%}" for target in targets]
            print(f"| {layer} | {' | '.join(shares)} |")
        print()


def _weakest(model: object, target: str) -> float:
    """Returns the smallest share of peak of the inner loops of a model of one layer.

    Loops of the last tiles of a plane, which may be much smaller, are left out.
    """
    from tvm_patdnn.builder import build

    library = build(model, target)  # type: ignore[arg-type]
    resolved = library.target.attrs
    analyser = Analyser(str(resolved["mtriple"]), str(resolved["mcpu"]))
    loops = inner_loops(library.assembly())
    most = max(loop.multiply_adds for loop in loops)
    return min(analyser.share_of_peak(loop) for loop in loops if 2 * loop.multiply_adds > most)


if __name__ == "__main__":
    try:
        _main()
    except BenchError as error:
        sys.exit(str(error))
