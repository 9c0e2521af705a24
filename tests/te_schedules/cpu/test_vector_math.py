import numpy as np
import pytest

from te_schedules.cpu.elementwise import LaneInput, elementwise
from te_schedules.cpu.lane_layout import LaneLayout
from te_schedules.cpu.lane_split import best_split
from te_schedules.epilogue import Step
from tests.te_schedules.cpu.lane_kernels import run_kernel

SIZE = (64, 64)


def computed(name: str, values: np.ndarray, lanes: int) -> np.ndarray:
    """Applies a step to ``values``: (64, 64)."""
    layout = LaneLayout(best_split(*SIZE, lanes))
    func = elementwise(1, [LaneInput(1, layout)], layout, [Step(name)])
    stored = run_kernel(func, [layout.pack(values[None, None])], layout.shape(1, 1))
    return layout.unpack(stored)[0, 0].astype(np.float64)


def spread(low: float, high: float) -> np.ndarray:
    return np.linspace(low, high, SIZE[0] * SIZE[1], dtype=np.float32).reshape(SIZE)


@pytest.mark.parametrize("lanes", [4, 8, 16])
def test_exp_is_exact_to_the_last_digits(lanes):
    for values in (spread(-87, 88), spread(-1, 1), spread(-1e-6, 1e-6)):
        np.testing.assert_allclose(
            computed("exp", values, lanes), np.exp(values.astype(np.float64)), rtol=3e-7
        )


def test_exp_beyond_what_float32_holds_stays_finite():
    values = np.full(SIZE, -1e30, np.float32)
    values[0] = 1e30
    got = computed("exp", values, 16)
    assert (got[0] > 1e38).all()
    assert np.isfinite(got[0]).all()
    assert ((got[1:] > 0) & (got[1:] < 1e-37)).all()


@pytest.mark.parametrize(
    ("name", "reference"),
    [("sigmoid", lambda x: 1 / (1 + np.exp(-x))), ("tanh", np.tanh)],
)
def test_what_is_made_of_it(name, reference):
    for values in (spread(-20, 20), spread(-0.01, 0.01), spread(-1e4, 1e4)):
        with np.errstate(over="ignore"):
            expected = reference(values.astype(np.float64))
        np.testing.assert_allclose(computed(name, values, 16), expected, rtol=3e-7, atol=2e-7)
