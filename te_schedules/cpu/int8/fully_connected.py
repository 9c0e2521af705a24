"""Matrix products of bytes: vectors of outputs, four inputs at a time.

The matrix is read once, so what counts is that nothing else is: fours of inputs whose weights
are 0 in a whole block of outputs are not stored.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from tvm import tirx
from tvm.tirx import Buffer, Cast, PrimFunc, Ramp, const
from tvm.tirx.script import builder as T

from te_schedules.cpu.int8.instructions import Instructions
from te_schedules.cpu.int8.layer import Int8Layer
from te_schedules.cpu.int8.layer_frame import layer_frame
from te_schedules.cpu.int8.planes import stored_shape
from te_schedules.cpu.int8.requantise import bytes_of, steps_of
from te_schedules.cpu.vector_code import Expr, VectorCode, prim_func
from tvm_patdnn.sparse.pack_quads import pack_cells
from tvm_patdnn.sparse.quads import FOUR, Quads, without_overflow

__all__ = ["Int8Matrix", "int8_fully_connected"]

VECTORS = 4  # of a block of outputs: sums that do not wait for each other
SIGN_BITS = -0x7F7F7F80  # as int32, the highest bit of each of four bytes


@dataclass(frozen=True, kw_only=True, eq=False)
class Int8Matrix:
    """All that determines the kernel of a matrix product of bytes.

    Attributes:
        layer: flat; see ``Int8Layer``.
        sparse: whether zeros are left out.
    """

    layer: Int8Layer
    instructions: Instructions
    sparse: bool = True

    @property
    def block(self) -> int:
        """Outputs that share a list of inputs."""
        return self.instructions.lanes * VECTORS

    @property
    def blocks(self) -> int:
        """How many cover the outputs."""
        return -(-self.layer.out_shape[1] // self.block)

    @cached_property
    def quads(self) -> Quads:
        """The stored weights: a block of outputs is a group of filters."""
        weight = self._padded(self.layer.weight)
        quads = pack_cells(weight, self.block, sparse=self.sparse)
        if self.instructions.any_dot:
            return quads
        return without_overflow(quads, self.instructions.pair_limit)

    @cached_property
    def constants(self) -> dict[str, np.ndarray]:
        """The constants that its kernel takes, by name and in order."""
        inputs, store = self.quads.index[:, 0], self.layer.store
        numbers = {} if store.offset is None else {"numbers": self._padded(store.offset)}
        return {
            "bias": self._padded(self.instructions.bias(self.layer)),
            "scale": self._padded(store.scale),
            **numbers,
            "offset": self.quads.offset,
            "input": inputs.astype(np.uint16 if inputs.max() < 1 << 16 else np.int32),
            "weight": self._ordered(),
        }

    def _padded(self, values: np.ndarray) -> np.ndarray:
        """Lengthens ``values``: (outputs, ...) to whole blocks."""
        more = self.blocks * self.block - len(values)
        return np.pad(values, ((0, more), *((0, 0) for _ in values.shape[1:])))

    def _ordered(self) -> np.ndarray:
        """Returns (entries * block * 4,) int8: of each vector in the order that ``dot`` wants."""
        instructions, lanes = self.instructions, self.instructions.lanes
        weight = self.quads.weight.reshape(-1, VECTORS, lanes * FOUR)
        order = [instructions.order(i // FOUR, i % FOUR) for i in range(lanes * FOUR)]
        ordered = np.empty_like(weight)
        ordered[:, :, order] = weight
        return ordered.reshape(-1)


def int8_fully_connected(matrix: Int8Matrix) -> PrimFunc:
    """Generates the kernel (data, *constants, residual if there is one, output)."""

    def emit(
        data: Buffer, arrays: Mapping[str, Buffer], other: Buffer | None, output: Buffer
    ) -> None:
        with T.parallel(matrix.blocks) as b, T.serial(matrix.layer.in_shape[0]) as n:
            sums = _emit_sums(matrix, data, arrays, b, n)
            if matrix.layer.store.offset is None:
                _emit_bytes(matrix, sums, arrays["scale"], other, output, b, n)
            else:
                _emit_numbers(matrix, sums, arrays, output, b, n)

    return prim_func(*layer_frame(matrix.layer, matrix.constants, emit))


def _emit_sums(
    matrix: Int8Matrix, data: Buffer, arrays: Mapping[str, Buffer], b: Expr, n: Expr
) -> list[Expr]:
    """Emits the sums of a block for an image, and returns them."""
    instructions, size = matrix.instructions, matrix.instructions.bytes
    # What is waited for is the matrix, so that it is better read once than multiplied fast.
    dot = instructions.any_dot or instructions.dot
    code, bytes_ = VectorCode(instructions.lanes, "int32"), VectorCode(size, "uint8")
    weights, held, registers = VectorCode(size, "int8"), bytes_.register(), code.registers(VECTORS)
    for v, register in enumerate(registers):
        first = b * matrix.block + v * instructions.lanes
        code.set(register, code.load(arrays["bias"], first))
    begin = arrays["offset"][b]
    with T.serial(arrays["offset"][b + 1] - begin) as i:
        at = Cast("int32", arrays["input"][begin + i]) * FOUR
        four = T.reinterpret("int32", data[n, 0, Ramp(at, 1, FOUR)])
        if instructions.signed:
            four = four ^ const(SIGN_BITS, "int32")
        bytes_.set(held, T.reinterpret(f"uint8x{size}", instructions.spread(four)))
        for v, register in enumerate(registers):
            own = weights.load(arrays["weight"], ((begin + i) * VECTORS + v) * size)
            code.set(register, dot(code.get(register), bytes_.get(held), own))
    return [code.get(register) for register in registers]


def _emit_bytes(
    matrix: Int8Matrix,
    sums: list[Expr],
    scale: Buffer,
    other: Buffer | None,
    output: Buffer,
    b: Expr,
    n: Expr,
) -> None:
    """Emits the requantisation of a block; what is behind the last output may be written."""
    lanes, store = matrix.instructions.lanes, matrix.layer.store
    code, plane = VectorCode(lanes), stored_shape(matrix.layer.out_shape)[2]
    steps = []
    for v, vector in enumerate(sums):
        at = b * matrix.block + v * lanes
        added = None
        if other is not None:
            added = [Cast(f"int32x{lanes}", other[n, 0, Ramp(at, 1, lanes)])]
        steps += steps_of(store, [vector], code.load(scale, at), lanes, added)
    assert matrix.blocks * matrix.block <= plane
    T.buffer_store(
        output,
        bytes_of(store, steps, range(matrix.block), matrix.instructions.pack),
        [n, 0, Ramp(b * matrix.block, 1, matrix.block)],
    )


def _emit_numbers(
    matrix: Int8Matrix,
    sums: list[Expr],
    arrays: Mapping[str, Buffer],
    output: Buffer,
    b: Expr,
    n: Expr,
) -> None:
    """Emits the numbers of a block; what is behind the last output is not written."""
    lanes, outputs = matrix.instructions.lanes, matrix.layer.out_shape[1]
    code, first = VectorCode(lanes), b * matrix.block
    block = T.alloc_buffer((matrix.block,), "float32")
    for v, vector in enumerate(sums):
        scale, added = (code.load(arrays[name], first + v * lanes) for name in ("scale", "numbers"))
        code.store(block, Cast(f"float32x{lanes}", vector) * scale + added, v * lanes)
    with T.serial(tirx.min(outputs - first, matrix.block)) as i:
        T.buffer_store(output, block[i], [n, 0, first + i])
