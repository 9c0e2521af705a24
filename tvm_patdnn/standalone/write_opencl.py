"""Fills the C templates of a model for an OpenCL device: its header, and tables of its kernels."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from tvm_patdnn.standalone.c_literals import c_string
from tvm_patdnn.standalone.c_texts import CTexts, joined
from tvm_patdnn.standalone.device_program import BUFFER_ALIGNMENT, DeviceProgram
from tvm_patdnn.standalone.sequence import Ref

__all__ = ["OpenClModel", "opencl_runtime_source"]


def opencl_runtime_source() -> str:
    """The file that is the same for all models."""
    parts = ("opencl_declarations", "runtime_tables", "opencl_driver", "opencl_program")
    return joined([*parts, "opencl_interface"])


@dataclass(frozen=True, kw_only=True)
class OpenClModel(CTexts):
    """What the texts are made of; see ``CTexts``.

    Attributes:
        source_offset: offset of the kernels' source in the weights; it ends with a zero byte.
    """

    program: DeviceProgram
    source_offset: int

    needs: ClassVar[str] = (
        "Needs the C library, and when it runs an OpenCL driver, which it opens by itself. Of the\n"
        "   options only check_weights and cache are used."
    )
    extras: ClassVar[Mapping[str, str]] = {
        "codes": """,
  @name@_no_driver,  /* there is no OpenCL on this machine */
  @name@_no_device,  /* it has no device that can run the model */
  @name@_no_program, /* it does not compile the kernels; details says why */
  @name@_device_failed""",
        "options": """
  const char *cache;   /* a folder that keeps what the driver compiles; NULL: none */""",
        "functions": """
const char *@name@_details(void);   /* what is known of this thread's last error; may be "" */""",
    }

    def source(self) -> str:
        """The tables of kernels, buffers, launches, and of the interface."""
        program, text = self.program, self.program.source.encode()
        return self.filled(
            "opencl_model.c",
            **self.tables(),
            metadata=self.weights.text,
            arena=program.memory.bytes,
            alignment=BUFFER_ALIGNMENT,
            kernels=len(self._kernels),
            buffers=len(self._buffers),
            launches=len(program.steps),
            arguments=sum(len(step.args) for step in program.steps),
            source=self.source_offset,
            source_bytes=len(text),
            source_crc=zlib.crc32(text),
            buffer_list=_lines(map(self._buffer, self._buffers), "{0, 0, 0}"),
            input_buffers=", ".join(self._places("input")),
            output_buffers=", ".join(self._places("output")),
            kernel_list=_lines(map(c_string, self._kernels), "NULL"),
            argument_list=_lines(self._arguments(), "0"),
            launch_list=_lines(self._launches(), "{0, 0, 0, {0, 0, 0}, {0, 0, 0}}"),
            copies="\n".join(self._copies()),
        )

    @cached_property
    def _kernels(self) -> list[str]:
        return sorted({step.launch.kernel for step in self.program.steps})

    @cached_property
    def _buffers(self) -> dict[tuple[str, int, int], int]:
        """The distinct buffers, numbered: where they are, their offset and bytes there."""
        found: dict[tuple[str, int, int], int] = {}
        for ref in [*(r for step in self.program.steps for r in step.args), *self.program.sizes]:
            found.setdefault(self._key(ref), len(found))
        return found

    def _key(self, ref: Ref) -> tuple[str, int, int]:
        if ref.space == "constant":
            offset = self.weights.offsets[ref.number]
            return "constant", offset, self.program.calls.constants[ref.number].nbytes
        return "arena", self.program.memory.offsets[ref], max(1, self.program.sizes[ref])

    def _buffer(self, key: tuple[str, int, int]) -> str:
        space, offset, size = key
        return f"{{{int(space == 'constant')}, {offset}, {size}}}"

    def _places(self, kind: str) -> Iterator[str]:
        for i in range(len(self.tensors(kind))):
            ref = Ref(kind, i)
            known = ref in self.program.sizes
            yield str(self._buffers[self._key(ref)]) if known else "NOWHERE"
        yield "NOWHERE"

    def _arguments(self) -> Iterator[str]:
        for step in self.program.steps:
            yield ", ".join(str(self._buffers[self._key(ref)]) for ref in step.args)

    def _launches(self) -> Iterator[str]:
        first = 0
        for launch, args in self.program.steps:
            whole = [g * b for g, b in zip(launch.grid, launch.block, strict=True)]
            sizes = ["{" + ", ".join(map(str, numbers)) + "}" for numbers in (whole, launch.block)]
            numbers = [self._kernels.index(launch.kernel), first, len(args), *sizes]
            yield "{" + ", ".join(map(str, numbers)) + "}"
            first += len(args)

    def _copies(self) -> Iterator[str]:
        for (_, number), source in self.program.calls.copies:
            pointer = {"input": f"in[{source.number}]", "output": f"out[{source.number}]"}.get(
                source.space
            ) or f"W({self.weights.offsets[source.number]})"
            yield f"  memcpy(out[{number}], {pointer}, output_list[{number}].bytes);"


def _lines(rows: Iterable[str], last: str) -> str:
    return ",\n".join(f"  {row}" for row in [*rows, last])
