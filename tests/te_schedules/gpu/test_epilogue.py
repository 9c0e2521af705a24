import numpy as np
import pytest
from tvm.tirx.script import builder as T

from te_schedules.cpu import epilogue as cpu_epilogue
from te_schedules.epilogue import Step
from te_schedules.gpu.epilogue import (
    STEPS,
    OperandSpec,
    apply_steps,
    bind_operands,
    operand_params,
)
from te_schedules.tir_function import prim_func
from tests.gpu.opencl import require_opencl
from tests.te_schedules.gpu.run_kernel import run_function

VALUES = np.array([-90, -3, -0.5, 0, 0.25, 2, 7, 89, np.inf, np.nan], np.float32)
OTHERS = np.array([1, -4, 2, -1, 0.5, np.nan, 3, 2, 1, 1], np.float32)

NUMPY = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
    "maximum": np.maximum,
    "minimum": np.minimum,
    "relu": lambda x: np.maximum(x, 0),
    "clip": lambda x: np.clip(x, -1, 6),
    "leaky_relu": lambda x: np.where(x < 0, x * np.float32(0.1), x),
    "prelu": lambda x, y: np.where(x < 0, x * y, x),
    "sigmoid": lambda x: 1 / (1 + np.exp(-x)),
    "silu": lambda x: x / (1 + np.exp(-x)),
    "tanh": np.tanh,
    "exp": np.exp,
    "sqrt": np.sqrt,
    "square": np.square,
    "absolute": np.abs,
    "add_number": lambda x: x + np.float32(1.5),
    "multiply_number": lambda x: x * np.float32(1.5),
}
NUMBERS = {
    "clip": (-1.0, 6.0),
    "leaky_relu": (0.1,),
    "add_number": (1.5,),
    "multiply_number": (1.5,),
}
BINARY = {"add", "subtract", "multiply", "divide", "maximum", "minimum", "prelu"}


def applied(step: Step) -> np.ndarray:
    """The step of all values, each of which is a plane."""
    require_opencl()
    shape = (1, len(VALUES), 1, 1)
    params = operand_params([step], shape, "float32")

    def body(data, *buffers) -> None:
        steps = bind_operands([step], buffers[:-1])
        with T.launch_thread("threadIdx.x", len(VALUES)) as c:
            value = apply_steps(steps, data[0, c, 0, 0], 0, c, 0)
            T.buffer_store(buffers[-1], value, [0, c, 0, 0])

    func = prim_func([("data", shape, "float32"), *params, ("output", shape, "float32")], body)
    arrays = {"data": VALUES.reshape(shape), "output": np.zeros(shape, np.float32)}
    arrays |= {name: OTHERS.reshape(dims).copy() for name, dims, _ in params}
    run_function(func, arrays)
    return arrays["output"].reshape(-1)


def test_there_is_every_step_that_cpus_have():
    assert set(STEPS) == set(cpu_epilogue.STEPS) == set(NUMPY)


@pytest.mark.parametrize("name", NUMPY)
def test_a_step_is_what_numpy_computes(name):
    operand = OperandSpec() if name in BINARY else None
    with np.errstate(all="ignore"):
        expected = NUMPY[name](*([VALUES, OTHERS] if operand else [VALUES]))
    got = applied(Step(name, operand, NUMBERS.get(name, ())))
    np.testing.assert_allclose(got, expected, rtol=2e-6, atol=1e-6)


def test_a_gate_multiplies_a_value_by_what_its_steps_make_of_it():
    gate = (Step("add_number", numbers=(3.0,)), Step("clip", numbers=(0.0, 6.0)))
    got = applied(Step("gate", gate=gate))
    np.testing.assert_allclose(got, VALUES * np.clip(VALUES + 3, 0, 6), rtol=1e-6)


def test_an_operand_may_be_a_tensor():
    got = applied(Step("add", OperandSpec(tensor=True)))
    np.testing.assert_allclose(got, VALUES + OTHERS)
