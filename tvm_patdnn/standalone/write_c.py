"""Fills the C templates of a model for a CPU: its header and the sequence of its kernels."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tvm_patdnn.standalone.c_texts import CTexts, joined
from tvm_patdnn.standalone.program import Program, Step
from tvm_patdnn.standalone.sequence import Ref

__all__ = ["CModel", "runtime_source"]


def runtime_source() -> str:
    """The file that is the same for all models."""
    parts = ("declarations", "threads", "machine", "tables", "interface")
    return joined([f"runtime_{part}" for part in parts])


@dataclass(frozen=True, kw_only=True)
class CModel(CTexts):
    """What the texts are made of; see ``CTexts``.

    Attributes:
        cpu_check: a C expression that tells whether the CPU can run the kernels.
    """

    program: Program
    cpu_check: str

    def source(self) -> str:
        """The sequence of kernels and the tables of the interface."""
        return self.filled(
            "model.c",
            **self.tables(),
            arena=self.program.memory.bytes,
            scratch=self.program.scratch,
            most_threads=self.program.most_threads,
            metadata=self.weights.text,
            cpu_check=self.cpu_check,
            prototypes="\n".join(sorted(set(map(_prototype, self.program.steps)))),
            input_places=", ".join(self._places("input")),
            output_places=", ".join(self._places("output")),
            steps="\n".join(self._steps()),
            copies="\n".join(self._copies()),
        )

    def _places(self, kind: str) -> Iterator[str]:
        for i in range(len(self.tensors(kind))):
            yield str(self.program.memory.offsets.get(Ref(kind, i), "NOWHERE"))
        yield "NOWHERE"

    def _steps(self) -> Iterator[str]:
        """Calls, with a meeting of the threads wherever one needs what others computed."""
        last_serial = True  # the threads have met before the first
        for i, step in enumerate(self.program.steps):
            serial = step.stage.iterations == 1
            if i and not (serial and last_serial):
                yield "  meet(&m->meeting);"
            args = [self._pointer(arg) for arg in step.args]
            part = [] if serial else [f"PART({step.stage.iterations})"]
            yield f"  {'if (task == 0) ' * serial}{step.stage.symbol}({', '.join(args + part)});"
            last_serial = serial

    def _pointer(self, ref: Ref | int) -> str:
        if isinstance(ref, int):
            return f"S({ref})"
        if ref.space in ("input", "output"):
            return f"{'in' if ref.space == 'input' else 'out'}[{ref.number}]"
        if ref.space == "constant":
            return f"W({self.weights.offsets[ref.number]})"
        return f"A({self.program.memory.offsets[ref]})"

    def _copies(self) -> Iterator[str]:
        for (_, number), source in self.program.calls.copies:
            pointer = {
                "input": f"given[{source.number}]",
                "output": f"m->out[{source.number}]",
            }.get(source.space) or self._pointer(source)
            yield f"  memcpy(m->out[{number}], {pointer}, output_list[{number}].bytes);"


def _prototype(step: Step) -> str:
    words = ["const void *"] * len(step.args)
    words += ["int32_t", "int32_t"] if step.stage.iterations > 1 else []
    return f"HIDDEN int {step.stage.symbol}({', '.join(words) or 'void'});"
