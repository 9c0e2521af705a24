"""exp and what is made of it, in vectors.

LLVM calls the C library for each lane of a vector's exp, which takes longer than most
convolutions. This is the usual approximation: exp(x) = 2**n * exp(r) with a whole n and
|r| < 0.35, for which a polynomial of degree 6 (Cephes, expf) is exact to 2e-7.
"""

from __future__ import annotations

from tvm import tirx
from tvm.tirx.script import builder as T

from te_schedules.cpu.vector_bounds import at_least, at_most
from te_schedules.cpu.vector_code import Expr, VectorCode

__all__ = ["exp", "sigmoid", "tanh"]

LOWEST, HIGHEST = -87.0, 88.0  # of x, for which 2**n is a normal number
LOG2_E = 1.4426950408889634
LN_2 = (0.693359375, -2.12194440e-4)  # the first with so few bits that n times it is exact
POLYNOMIAL = (
    1.9875691500e-4,
    1.3981999507e-3,
    8.3334519073e-3,
    4.1665795894e-2,
    1.6666665459e-1,
    5.0000001201e-1,
)
ROUNDER = 12582912.0  # 1.5 * 2**23: added to a small number, it leaves its nearest whole one
ROUNDER_BITS = 0x4B400000
EXPONENT_BIAS, EXPONENT_BIT = 127, 23  # of float32


def exp(code: VectorCode, value: Expr) -> Expr:
    """Returns e**value; beyond float32's range the value nearest to it that is normal."""
    number = code.broadcast
    x = _held(code, at_most(code, at_least(code, value, LOWEST), HIGHEST))
    rounded = _held(code, x * number(LOG2_E) + number(ROUNDER))
    n = _held(code, rounded - number(ROUNDER))
    r = _held(code, x - n * number(LN_2[0]) - n * number(LN_2[1]))
    total = number(POLYNOMIAL[0])
    for coefficient in POLYNOMIAL[1:]:
        total = total * r + number(coefficient)
    return (total * (r * r) + r + number(1.0)) * _power_of_two(code, rounded)


def sigmoid(code: VectorCode, value: Expr) -> Expr:
    """Returns 1 / (1 + e**-value)."""
    one = code.broadcast(1.0)
    return one / (one + exp(code, code.broadcast(0.0) - value))


def tanh(code: VectorCode, value: Expr) -> Expr:
    """Returns the hyperbolic tangent, exact to 1e-7 of 1."""
    one, two = code.broadcast(1.0), code.broadcast(2.0)
    return one - two / (exp(code, two * value) + one)


def _power_of_two(code: VectorCode, rounded: Expr) -> Expr:
    """Returns 2**n, where the lowest bits of ``rounded`` are n."""

    def number(value: int) -> Expr:
        return tirx.Broadcast(T.int32(value), code.lanes)

    bits = tirx.reinterpret(f"int32x{code.lanes}", rounded)
    exponent = bits - number(ROUNDER_BITS - EXPONENT_BIAS)
    shifted = tirx.shift_left(exponent, number(EXPONENT_BIT))
    return tirx.reinterpret(f"float32x{code.lanes}", shifted)


def _held(code: VectorCode, value: Expr) -> Expr:
    """Keeps a value that is read more than once in a register."""
    register = code.register()
    code.set(register, value)
    return code.get(register)
