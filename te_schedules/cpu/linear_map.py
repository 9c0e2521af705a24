"""Emits the product of a constant matrix and a column of vectors, in few additions.

Where two rows, or two columns, differ in signs alone, as those of a point and its negative,
what they have in common is computed once.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from tvm.tirx import Buffer

from te_schedules.cpu.vector_code import Expr, VectorCode

__all__ = ["emit_linear_map"]

_Terms = Sequence[tuple[float, Buffer]]


def emit_linear_map(code: VectorCode, matrix: np.ndarray, values: Sequence[Buffer]) -> list[Buffer]:
    """Emits ``matrix`` times ``values`` and returns the registers of the result.

    Args:
        matrix: (results, values).
    """
    if matrix.shape[0] == matrix.shape[1] and np.array_equal(matrix, np.eye(len(values))):
        return list(values)
    pairs = _pairs(matrix)
    if pairs:
        return _by_rows(code, matrix, values, pairs)
    return _by_columns(code, matrix, values, _pairs(matrix.T))


def _pairs(matrix: np.ndarray) -> dict[int, int]:
    """Returns pairs of rows with the same numbers, some, not all, of another sign."""
    found: dict[int, int] = {}
    for i, j in zip(range(len(matrix)), range(1, len(matrix)), strict=False):
        alike = np.array_equal(np.abs(matrix[i]), np.abs(matrix[j]))
        signs = matrix[i] * matrix[j]
        if alike and (signs > 0).any() and (signs < 0).any() and i not in found.values():
            found[i] = j
    return found


def _by_rows(
    code: VectorCode, matrix: np.ndarray, values: Sequence[Buffer], pairs: dict[int, int]
) -> list[Buffer]:
    results: dict[int, Buffer] = {}
    for i, j in pairs.items():
        same = _sum(code, _terms((matrix[i] + matrix[j]) / 2, values))
        other, scale = (matrix[i] - matrix[j]) / 2, 1.0
        scale = float(np.abs(other[np.nonzero(other)]).min())
        different = _sum(code, _terms(other / scale, values))
        results[i] = _sum(code, [(1.0, same), (scale, different)])
        results[j] = _sum(code, [(1.0, same), (-scale, different)])
    for i in set(range(len(matrix))) - set(results):
        results[i] = _sum(code, _terms(matrix[i], values))
    return [results[i] for i in range(len(matrix))]


def _by_columns(
    code: VectorCode, matrix: np.ndarray, values: Sequence[Buffer], pairs: dict[int, int]
) -> list[Buffer]:
    columns = [matrix[:, i] for i in range(len(values))]
    terms = list(values)
    for i, j in pairs.items():
        same, different = (matrix[:, i] + matrix[:, j]) / 2, (matrix[:, i] - matrix[:, j]) / 2
        columns[i], columns[j] = same, different
        terms[i] = _sum(code, [(1.0, values[i]), (1.0, values[j])])
        terms[j] = _sum(code, [(1.0, values[i]), (-1.0, values[j])])
    rows = np.array(columns).T
    return [_sum(code, _terms(row, terms)) for row in rows]


def _terms(row: np.ndarray, values: Sequence[Buffer]) -> _Terms:
    return [(float(factor), value) for factor, value in zip(row, values, strict=True) if factor]


def _sum(code: VectorCode, terms: _Terms) -> Buffer:
    """Emits a sum into a register of its own, beginning with a term that needs no product."""
    ordered = sorted(terms, key=lambda term: term[0] != 1.0)
    (factor, first), *others = ordered
    total: Expr = code.get(first)
    total = total if factor == 1.0 else total * code.broadcast(factor)
    for factor, value in others:
        term = code.get(value)
        if abs(factor) == 1.0:
            total = total + term if factor > 0 else total - term
        else:
            total = total + term * code.broadcast(factor)
    register = code.register()
    code.set(register, total)
    return register
