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
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from tvm.target import Target

from tvm_patdnn.bench.int8_code import int8_assembly
from tvm_patdnn.bench.peak_code import PEAKS
from tvm_patdnn.bench.sample_layers import VGG_LAYERS, SampleLayer
from tvm_patdnn.errors import BenchError
from tvm_patdnn.machine.targets import resolve_target

__all__ = ["Analyser", "Loop", "inner_loops"]

_TOOL = "llvm-mca"
_ITERATIONS = 100
_ROOM = re.compile(  # {vex} is LLVM's word for the AVX form of an instruction of AVX-512
    r"^\s*(?:\{vex\}\s+)?(vfmadd\d+ps|fmla|usdot|sdot|sadalp|vpdpbusd|vpmaddubsw)\b"
)
_LABEL = re.compile(r"^((?!\.Ltmp)[.\w$]+):")
_JUMP = re.compile(r"^\s*(?:j\w+|b\.\w+|cbn?z|tbn?z|b)\s.*?([.\w$]+)\s*$")
_HEADING = f"""# Predicted throughput on CPUs that are not here

Written by `python -m tvm_patdnn.bench.static_throughput`: what share of a core's peak of
multiply-adds the inner loops of the pruned layers reach by {_TOOL}, the least of a layer's
loops over whole tiles, if every load hits the nearest cache. It is a bound from the
instructions alone, not a latency: caches, and the ends of short lists, take more.
"""
_INT8 = """The same layers in int8, as a share of the most that the core's products of bytes can do:
on the first two of these CPUs there are none, and three instructions do the work of one.

What is shown is the kernel that is expected to be the fastest in all, not that with the best
loop: one may reach less and waste no lanes, or put any four taps together, with two shuffles for
each product, from inputs that stay in L2, where patches of them would not.
"""
_BLOCKS = {1: "Single filters", 4: "Blocks of 4 filters"}
_TARGETS = ("raspberry-pi-4", "raspberry-pi-5", "x86-64-v3")
_INT8_TARGETS = (  # LLVM 14 has no times of sdot
    "raspberry-pi-4",
    "x86-64-v3",
    "llvm -mtriple=x86_64-linux-gnu -mcpu=cascadelake",
)


@dataclass(frozen=True)
class Loop:
    """The body of a loop without loops inside.

    Attributes:
        lines: its instructions.
        multiply_adds: how many of them multiply and add vectors.
    """

    lines: tuple[str, ...]
    multiply_adds: int

    @property
    def instruction(self) -> str:
        """The first that multiplies and adds, in the form of ``PEAKS``; fmla without any."""
        found = filter(None, map(_ROOM.match, self.lines))
        first = next((match[1] for match in found), "fmla")
        return "vfmadd231ps" if first.startswith("vfmadd") else first


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
        peak = PEAKS[loop.instruction]
        most = sum(line.startswith(loop.instruction) for line in peak) / self._cycles(peak)
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
    parser.add_argument("targets", metavar="TARGET", nargs="*")
    asked = parser.parse_args().targets
    print(_HEADING)
    for block, title in _BLOCKS.items():
        _print_table(title, asked or _TARGETS, partial(_fp32_assembly, block=block))
    print(_INT8)
    for block, title in _BLOCKS.items():
        _print_table(f"{title}, int8", asked or _INT8_TARGETS, partial(int8_assembly, block=block))


def _print_table(
    title: str, targets: Sequence[str], assembly: Callable[[SampleLayer, Target], str]
) -> None:
    """Prints a row for each layer with the smallest shares of its loops.

    Loops of the last tiles of a plane, which may be much smaller, are left out.
    """
    print(f"## {title}\n")
    names = [target.rpartition("=")[2] for target in targets]
    print(f"| layer | {' | '.join(names)} |\n{'|---' * (len(targets) + 1)}|")
    for layer in VGG_LAYERS[1:]:
        shares = [
            f"{_weakest(assembly(layer, target), target):.0%}"
            for target in map(resolve_target, targets)
        ]
        print(f"| {layer} | {' | '.join(shares)} |")
    print()


def _fp32_assembly(layer: SampleLayer, target: Target, block: int) -> str:
    """Compiles a model of one layer, pruned."""
    from tvm_patdnn.builder import build

    return build(layer.pruned(filter_block=block), target).assembly()


def _weakest(assembly: str, target: Target) -> float:
    """Returns the smallest share of peak of the inner loops, but for much smaller ones."""
    analyser = Analyser(str(target.attrs["mtriple"]), str(target.attrs["mcpu"]))
    loops = inner_loops(assembly)
    most = max(loop.multiply_adds for loop in loops)
    return min(analyser.share_of_peak(loop) for loop in loops if 2 * loop.multiply_adds > most)


if __name__ == "__main__":
    try:
        _main()
    except BenchError as error:
        sys.exit(str(error))
