"""Fully connected layers: a product with a constant matrix, bound by reading it once.

What was pruned from the matrix need not be read, where it comes in whole vectors of outputs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from tvm import tirx
from tvm.tirx import Buffer, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.cpu.epilogue import apply_step
from te_schedules.cpu.vector_code import Expr, Param, VectorCode, prim_func
from te_schedules.epilogue import Step, operands_of

__all__ = [
    "SparseMatrix",
    "fully_connected",
    "kept_share",
    "pack_matrix",
    "pack_sparse_matrix",
    "pad_outputs",
    "sparse_fully_connected",
]

STREAMS = 4  # places at which a block is read at a time: hardware fetches ahead of each
BLOCK_VECTORS = 4  # outputs of a block: independent chains, and whole pages of the matrix
VECTORS_AHEAD = 128  # that a sparse matrix is prefetched: two pages, which hardware stops at


def pack_matrix(matrix: np.ndarray, lanes: int) -> np.ndarray:
    """Stores ``matrix``: (inputs, outputs) as (blocks, inputs, block) float32."""
    block = lanes * BLOCK_VECTORS
    padded = np.pad(matrix, ((0, 0), (0, -matrix.shape[1] % block)))
    return np.ascontiguousarray(
        padded.reshape(len(matrix), -1, block).transpose(1, 0, 2), np.float32
    )


def pad_outputs(values: np.ndarray, lanes: int) -> np.ndarray:
    """Lengthens ``values``: (outputs,) to whole blocks."""
    return np.pad(values.astype(np.float32), (0, -len(values) % (lanes * BLOCK_VECTORS)))


def fully_connected(
    rows: int, inputs: int, outputs: int, lanes: int, steps: Sequence[Step[Any]] = ()
) -> PrimFunc:
    """Generates the kernel (data (rows, inputs), packed matrix, *channel operands, output).

    Args:
        steps: the epilogue; operands are numbers for each output, padded to whole blocks.
    """
    block = lanes * BLOCK_VECTORS
    blocks = -(-outputs // block)
    part = inputs // math.gcd(inputs, STREAMS)
    params: list[Param] = [
        ("data", (rows, inputs), "float32"),
        ("matrix", (blocks, inputs, block), "float32"),
    ]
    params += _operand_params(steps, blocks * block)
    params.append(("output", (rows, outputs), "float32"))

    def body(data: Buffer, matrix: Buffer, *buffers: Buffer) -> None:
        code = VectorCode(lanes)
        with T.parallel(blocks) as b, T.serial(rows) as n:
            sums, weight = code.registers(BLOCK_VECTORS), code.register()
            for register in sums:
                code.set(register, code.broadcast(0.0))
            with T.serial(part) as i:
                for first in range(0, inputs, part):
                    code.set(weight, code.broadcast(data[n, first + i]))
                    for v, register in enumerate(sums):
                        product = code.get(weight) * code.load(matrix, b, first + i, v * lanes)
                        code.set(register, code.get(register) + product)
            _finish(code, steps, buffers, outputs, sums, n, b * block)

    return prim_func(params, body)


@dataclass(frozen=True, kw_only=True, eq=False)
class SparseMatrix:
    """A matrix of which each vector of outputs reads some of the inputs only.

    Attributes:
        outputs: columns of the matrix.
        offset: (vectors + 1,) int32, first weight of each vector of outputs.
        index: (kept,) uint16 or int32, the input of each weight.
        weight: (kept, lanes) float32.
    """

    outputs: int
    offset: np.ndarray
    index: np.ndarray
    weight: np.ndarray

    @property
    def constants(self) -> tuple[np.ndarray, ...]:
        """What the kernel takes, in order."""
        return (self.offset, self.index, self.weight)


def kept_share(matrix: np.ndarray, lanes: int) -> float:
    """Returns how much of ``matrix``: (inputs, outputs) a ``SparseMatrix`` stores, 0 to 1."""
    return float(_vectors(matrix, lanes).any(axis=2).mean())


def pack_sparse_matrix(matrix: np.ndarray, lanes: int) -> SparseMatrix:
    """Stores the vectors of ``matrix``: (inputs, outputs) that are not zero."""
    vectors = _vectors(matrix, lanes)
    kept = vectors.any(axis=2)
    vector, index = np.nonzero(kept)
    narrow = np.uint16 if len(matrix) <= 1 << 16 else np.int32
    return SparseMatrix(
        outputs=matrix.shape[1],
        offset=np.concatenate([[0], np.cumsum(kept.sum(axis=1))]).astype(np.int32),
        index=index.astype(narrow),
        weight=np.ascontiguousarray(vectors[vector, index], np.float32),
    )


def _vectors(matrix: np.ndarray, lanes: int) -> np.ndarray:
    """Returns (vectors of outputs, inputs, lanes)."""
    padded = np.pad(matrix, ((0, 0), (0, -matrix.shape[1] % lanes)))
    return padded.reshape(len(matrix), -1, lanes).transpose(1, 0, 2)


def sparse_fully_connected(
    rows: int, inputs: int, matrix: SparseMatrix, lanes: int, steps: Sequence[Step[Any]] = ()
) -> PrimFunc:
    """Generates the kernel (data (rows, inputs), *constants, *channel operands, output).

    Args:
        matrix: gives the sizes; its arrays are arguments.
        steps: as of ``fully_connected``.
    """
    vectors = len(matrix.offset) - 1
    params: list[Param] = [("data", (rows, inputs), "float32")]
    params += [
        (name, array.shape, str(array.dtype))
        for name, array in zip(("offset", "index", "weight"), matrix.constants, strict=True)
    ]
    padded = len(pad_outputs(np.zeros(matrix.outputs), lanes))
    params += _operand_params(steps, padded)
    params.append(("output", (rows, matrix.outputs), "float32"))

    def body(data: Buffer, offset: Buffer, index: Buffer, weight: Buffer, *rest: Buffer) -> None:
        code = VectorCode(lanes)
        with T.parallel(vectors) as v, T.serial(rows) as n:
            total, value = code.register(), code.register()
            code.set(total, code.broadcast(0.0))
            with T.serial(offset[v + 1] - offset[v]) as k:
                at = offset[v] + k
                code.prefetch(weight, at + VECTORS_AHEAD, 0)
                code.set(value, code.broadcast(data[n, tirx.Cast("int32", index[at])]))
                product = code.get(value) * code.load(weight, at, 0)
                code.set(total, code.get(total) + product)
            _finish(code, steps, rest, matrix.outputs, [total], n, v * lanes)

    return prim_func(params, body)


def _operand_params(steps: Sequence[Step[Any]], padded: int) -> list[Param]:
    """Returns the parameters for the operands of the steps: numbers for each output."""
    return [(f"operand{i}", (padded,), "float32") for i in range(len(operands_of(steps)))]


def _finish(
    code: VectorCode,
    steps: Sequence[Step[Any]],
    buffers: Sequence[Buffer],
    outputs: int,
    sums: Sequence[Buffer],
    n: Expr,
    first: Expr,
) -> None:
    """Emits the epilogue of the vectors from output ``first`` on, and their stores."""
    remaining = iter(buffers)
    for step in steps:
        operand = step.bind(lambda _: next(remaining)).operand
        for v, register in enumerate(sums):
            at = first + v * code.lanes
            value = None if operand is None else code.load(operand, at)
            code.set(register, apply_step(code, step, code.get(register), value))
    whole = outputs % (code.lanes * len(sums)) == 0
    for v, register in enumerate(sums):
        _store(code, buffers[-1], outputs, whole, register, n, first + v * code.lanes)


def _store(
    code: VectorCode,
    output: Buffer,
    outputs: int,
    whole: bool,
    register: Buffer,
    n: Expr,
    at: Expr,
) -> None:
    """Emits the store of the vector at ``at``, of which only outputs may be written."""
    if whole:
        code.store(output, code.get(register), n, at)
        return
    for lane in range(code.lanes):
        with T.If(at + lane < outputs), T.Then():
            T.buffer_store(output, register[lane], [n, at + lane])
