"""Fills the C templates of a model: its header and the sequence of its kernels."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files

from tvm_patdnn.library.image_facts import image_facts
from tvm_patdnn.library.metadata import Metadata
from tvm_patdnn.standalone.c_literals import c_floats, c_string
from tvm_patdnn.standalone.pack_weights import PackedWeights
from tvm_patdnn.standalone.program import Program, Step
from tvm_patdnn.standalone.sequence import Ref, Tensor

__all__ = ["CModel", "fill", "runtime_source", "template"]

_RUNTIME = ("declarations", "threads", "machine", "interface")


def template(name: str) -> str:
    """The text of a file in ``standalone/c``."""
    return (files("tvm_patdnn.standalone") / "c" / name).read_text()


def runtime_source() -> str:
    """The file that is the same for all models."""
    return "\n".join(template(f"runtime_{part}.c") for part in _RUNTIME)


@dataclass(frozen=True, kw_only=True)
class CModel:
    """What the texts are made of.

    Attributes:
        name: prefix of all its symbols; a C identifier.
        version: of what built it.
        cpu_check: a C expression that tells whether the CPU can run the kernels.
    """

    name: str
    program: Program
    weights: PackedWeights
    metadata: Metadata
    version: str
    cpu_check: str

    def header(self) -> str:
        """The interface."""
        return self._filled("model.h", tensors="\n".join(self._described()))

    def source(self) -> str:
        """The sequence of kernels and the tables of the interface."""
        return self._filled(
            "model.c",
            arena=self.program.memory.bytes,
            scratch=self.program.scratch,
            most_threads=self.program.most_threads,
            weights_bytes=self.weights.bytes,
            weights_crc=self.weights.crc,
            metadata=self.weights.text,
            cpu_check=self.cpu_check,
            prototypes="\n".join(sorted(set(map(_prototype, self.program.steps)))),
            shapes="\n".join(self._shapes()),
            input_list=",\n".join(self._rows("input")),
            output_list=",\n".join(self._rows("output")),
            input_places=", ".join(self._places("input")),
            output_places=", ".join(self._places("output")),
            facts=self._facts(),
            steps="\n".join(self._steps()),
            copies="\n".join(self._copies()),
        )

    def _filled(self, name: str, **values: object) -> str:
        common = {
            "name": self.name,
            "NAME": self.name.upper(),
            "version": self.version,
            "target": _one_line(self.metadata.target),
            "inputs": len(self._tensors("input")),
            "outputs": len(self._tensors("output")),
        }
        return fill(template(name), {**common, **values})

    def _tensors(self, kind: str) -> list[tuple[str, Tensor]]:
        calls, metadata = self.program.calls, self.metadata
        if kind == "input":
            return list(zip(metadata.inputs, calls.inputs, strict=True))
        return list(zip(metadata.outputs, calls.outputs, strict=True))

    def _described(self) -> Iterator[str]:
        for kind in ("input", "output"):
            for i, (name, tensor) in enumerate(self._tensors(kind)):
                shape = ", ".join(map(str, tensor.shape))
                yield f"  {kind}s[{i}]: {_one_line(name)}, {tensor.dtype}[{shape}]"

    def _shapes(self) -> Iterator[str]:
        for kind in ("input", "output"):
            for i, (_, tensor) in enumerate(self._tensors(kind)):
                sizes = ", ".join(map(str, tensor.shape)) or "1"
                yield f"static const int64_t {kind}_shape_{i}[] = {{{sizes}}};"

    def _rows(self, kind: str) -> Iterator[str]:
        for i, (name, tensor) in enumerate(self._tensors(kind)):
            words = [c_string(name), c_string(tensor.dtype), len(tensor.shape)]
            words += [f"{kind}_shape_{i}", tensor.bytes]
            yield f"  {{{', '.join(map(str, words))}}}"
        yield "  {NULL, NULL, 0, NULL, 0}"

    def _places(self, kind: str) -> Iterator[str]:
        for i in range(len(self._tensors(kind))):
            yield str(self.program.memory.offsets.get(Ref(kind, i), "NOWHERE"))
        yield "NOWHERE"

    def _facts(self) -> str:
        facts = image_facts(self.metadata.properties)
        names = ", ".join(map(c_string, facts.classes)) or "NULL"
        return f"""\
static const float mean[] = {{{c_floats(facts.mean)}}}, std[] = {{{c_floats(facts.std)}}};
static const char *const classes[] = {{{names}}};
static const API(facts) facts = {{
  {len(facts.mean)}, mean, std, {len(facts.classes)}, classes, METADATA
}};"""

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


def fill(text: str, values: Mapping[str, object]) -> str:
    """Replaces each @word@."""
    return re.sub(r"@(\w+)@", lambda match: str(values[match[1]]), text)


def _prototype(step: Step) -> str:
    words = ["const void *"] * len(step.args)
    words += ["int32_t", "int32_t"] if step.stage.iterations > 1 else []
    return f"HIDDEN int {step.stage.symbol}({', '.join(words) or 'void'});"


def _one_line(text: str) -> str:
    """For a comment."""
    return " ".join(text.split()).replace("*/", "* /").replace("/*", "/ *")
