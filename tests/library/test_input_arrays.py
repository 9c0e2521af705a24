import numpy as np
import pytest
import torch

from tests.built import inputs, library
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.input_arrays import numbers_of


@pytest.mark.parametrize("given", [np.zeros(3), None, [np.zeros(3)], "x", {"x"}])
def test_inputs_without_names(given):
    with pytest.raises(LibraryError, match=r"^inputs: got .*, expected a dict of arrays by name"):
        library().run(given)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[1.0], [2.0, 3.0]], "is not an array .list: "),
        (torch.ones(3, requires_grad=True), "is not an array .*Tensor: "),
        ("text", "got str of dtype <U4, expected numbers; give a numpy.ndarray"),
        (None, "got NoneType of dtype object"),
        ({"a": 1}, "got dict of dtype object"),
        (np.array([1j]), "got ndarray of dtype complex128"),
        (np.array(["2026-01-01"], "datetime64[D]"), "got ndarray of dtype datetime64"),
    ],
)
def test_what_is_not_an_array_of_numbers(value, message):
    with pytest.raises(LibraryError, match=f"^input 'x': {message}"):
        library().run({"x": value})


@pytest.mark.parametrize("value", [[1.0, 2.0], 3, True, np.float16([1]), torch.ones(2)])
def test_what_numpy_makes_an_array_of(value):
    np.testing.assert_array_equal(numbers_of("x", value), np.asarray(value))


def test_names_that_are_not_texts():
    with pytest.raises(LibraryError, match=r"got \['1', 'x'\], expected \['x'\]; unknown: \[1\]"):
        library().run({**inputs(), 1: 2})


def test_numbers_of_another_byte_order():
    (value,) = inputs().values()
    with pytest.raises(LibraryError, match="input 'x': got >f4 of shape"):
        library().run({"x": value.astype(">f4")})
