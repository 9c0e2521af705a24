import numpy as np
import pytest

from te_schedules.cpu.elementwise import LaneInput, elementwise
from te_schedules.cpu.epilogue import STEPS
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import best_split
from te_schedules.cpu.tile_store import OperandSpec
from te_schedules.epilogue import Step
from tests.te_schedules.cpu.lane_kernels import assert_close, random_array, run_kernel

LAYOUT = LaneLayout(best_split(3, 5, 4))


def sigmoid(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


# Each step with its numbers, and the same by numpy.
REFERENCES = {
    "add": ((), np.add),
    "subtract": ((), np.subtract),
    "multiply": ((), np.multiply),
    "divide": ((), np.divide),
    "maximum": ((), np.maximum),
    "minimum": ((), np.minimum),
    "relu": ((), lambda x: np.maximum(x, 0)),
    "clip": ((-0.5, 0.75), np.clip),
    "leaky_relu": ((0.1,), lambda x, slope: np.where(x > 0, x, x * slope)),
    "prelu": ((), lambda x, slope: np.where(x > 0, x, x * slope)),
    "sigmoid": ((), sigmoid),
    "silu": ((), lambda x: x * sigmoid(x)),
    "tanh": ((), np.tanh),
    "exp": ((), np.exp),
    "sqrt": ((), np.sqrt),
    "square": ((), np.square),
    "absolute": ((), np.abs),
    "add_number": ((1.5,), np.add),
    "multiply_number": ((-2.0,), np.multiply),
}
WITH_OPERAND = ("add", "subtract", "multiply", "divide", "maximum", "minimum", "prelu")


def test_every_step_has_a_reference():
    assert set(REFERENCES) == set(STEPS)


@pytest.mark.parametrize("name", [name for name in REFERENCES if name not in WITH_OPERAND])
def test_a_step(name):
    numbers, reference = REFERENCES[name]
    data = 3 * random_array(1, 2, 3, 5)
    if name == "sqrt":
        data = np.abs(data)
    func = elementwise(1, [LaneInput(2, LAYOUT)], LAYOUT, [Step(name, numbers=numbers)])
    got = run_kernel(func, [LAYOUT.pack(data)], LAYOUT.shape(1, 2))
    assert_close(LAYOUT.unpack(got), reference(data, *numbers))


@pytest.mark.parametrize("name", WITH_OPERAND)
def test_a_step_with_a_tensor_and_with_a_number_for_each_channel(name):
    reference = REFERENCES[name][1]
    data, tensor = 3 * random_array(1, 2, 3, 5), random_array(1, 2, 3, 5, seed=1)
    channel = np.array([[0.5, -1.25]], np.float32)
    steps = [Step(name, OperandSpec(layout=LAYOUT)), Step(name, OperandSpec())]
    func = elementwise(1, [LaneInput(2, LAYOUT)], LAYOUT, steps)
    arguments = [LAYOUT.pack(data), LAYOUT.pack(tensor), channel]
    got = run_kernel(func, arguments, LAYOUT.shape(1, 2))
    expected = reference(reference(data, tensor), channel.reshape(1, 2, 1, 1))
    assert_close(LAYOUT.unpack(got), expected)


@pytest.mark.parametrize("name", REFERENCES)
def test_what_is_not_a_number_stays_so(name):
    numbers, _ = REFERENCES[name]
    data, operand = random_array(1, 2, 3, 5), random_array(1, 2, 3, 5, seed=1)
    data[0, 0, 1, 2] = data[0, 1, 2, 4] = operand[0, 1, 0, 3] = np.nan
    with_operand = name in WITH_OPERAND
    func = elementwise(
        1,
        [LaneInput(2, LAYOUT)],
        LAYOUT,
        [Step(name, OperandSpec(layout=LAYOUT) if with_operand else None, numbers)],
    )
    arguments = [LAYOUT.pack(data), *([LAYOUT.pack(operand)] * with_operand)]
    got = LAYOUT.unpack(run_kernel(func, arguments, LAYOUT.shape(1, 2)))
    expected = np.isnan(data) | (np.isnan(operand) & with_operand)
    if name == "sqrt":
        expected |= data < 0
    np.testing.assert_array_equal(np.isnan(got), expected)


@pytest.mark.parametrize("name", ["sigmoid", "silu", "tanh", "clip", "relu"])
def test_large_values_saturate(name):
    numbers, reference = REFERENCES[name]
    data = np.array([-1000, -90, 90, 1000], np.float32).reshape(1, 1, 2, 2)
    layout = LaneLayout(best_split(2, 2, 4))
    func = elementwise(1, [LaneInput(1, layout)], layout, [Step(name, numbers=numbers)])
    got = run_kernel(func, [layout.pack(data)], layout.shape(1, 1))
    with np.errstate(over="ignore"):
        expected = reference(data, *numbers)
    np.testing.assert_allclose(layout.unpack(got), expected, rtol=1e-5, atol=1e-30)


def test_a_gate_multiplies_a_value_by_a_function_of_itself():
    data = 3 * random_array(1, 2, 3, 5)
    inner = (Step("multiply_number", numbers=(0.5,)), Step("clip", numbers=(0.0, 1.0)))
    func = elementwise(1, [LaneInput(2, LAYOUT)], LAYOUT, [Step("gate", gate=inner)])
    got = run_kernel(func, [LAYOUT.pack(data)], LAYOUT.shape(1, 2))
    assert_close(LAYOUT.unpack(got), data * np.clip(data / 2, 0, 1))


def test_steps_are_applied_in_order():
    data = random_array(1, 1, 3, 5)
    steps = [Step("relu"), Step("add_number", numbers=(-1.0,)), Step("leaky_relu", numbers=(0.5,))]
    func = elementwise(1, [LaneInput(1, LAYOUT)], LAYOUT, steps)
    got = run_kernel(func, [LAYOUT.pack(data)], LAYOUT.shape(1, 1))
    shifted = np.maximum(data, 0) - 1
    assert_close(LAYOUT.unpack(got), np.where(shifted > 0, shifted, shifted / 2))
