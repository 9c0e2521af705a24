"""Fully connected layers: a product with a constant matrix, bound by reading it once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tvm.tirx import Buffer, PrimFunc
from tvm.tirx.script import builder as T

from te_schedules.epilogue import Step, apply_step
from te_schedules.vector_code import Expr, Param, VectorCode, prim_func

__all__ = ["fully_connected", "pack_matrix", "pad_outputs"]

BLOCK_VECTORS = 4  # outputs of a block: independent chains, and whole pages of the matrix


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
    rows: int, inputs: int, outputs: int, lanes: int, steps: Sequence[Step] = ()
) -> PrimFunc:
    """Generates the kernel (data (rows, inputs), packed matrix, *channel operands, output).

    Args:
        steps: the epilogue; operands are numbers for each output, padded to whole blocks.
    """
    block = lanes * BLOCK_VECTORS
    blocks = -(-outputs // block)
    params: list[Param] = [
        ("data", (rows, inputs), "float32"),
        ("matrix", (blocks, inputs, block), "float32"),
    ]
    channel_steps = [step for step in steps if step.operand == "channel"]
    params += [(f"operand{i}", (blocks * block,), "float32") for i in range(len(channel_steps))]
    params.append(("output", (rows, outputs), "float32"))

    def body(data: Buffer, matrix: Buffer, *buffers: Buffer) -> None:
        code = VectorCode(lanes)
        with T.parallel(blocks) as b, T.serial(rows) as n:
            sums, weight = code.registers(BLOCK_VECTORS), code.register()
            for register in sums:
                code.set(register, code.broadcast(0.0))
            with T.serial(inputs) as i:
                code.set(weight, code.broadcast(data[n, i]))
                for v, register in enumerate(sums):
                    product = code.get(weight) * code.load(matrix, b, i, v * lanes)
                    code.set(register, code.get(register) + product)
            operands = iter(buffers)
            for step in steps:
                operand = next(operands) if step.operand == "channel" else None
                for v, register in enumerate(sums):
                    at = b * block + v * lanes
                    value = None if operand is None else code.load(operand, at)
                    code.set(register, apply_step(code, step, code.get(register), value))
            for v, register in enumerate(sums):
                _store(code, buffers[-1], outputs, register, n, b * block + v * lanes)

    return prim_func(params, body)


def _store(
    code: VectorCode, output: Buffer, outputs: int, register: Buffer, n: Expr, at: Expr
) -> None:
    """Emits the store of the vector at ``at``, of which only outputs may be written."""
    if outputs % (code.lanes * BLOCK_VECTORS) == 0:
        code.store(output, code.get(register), n, at)
        return
    for lane in range(code.lanes):
        with T.If(at + lane < outputs), T.Then():
            T.buffer_store(output, register[lane], [n, at + lane])
