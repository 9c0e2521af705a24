import numpy as np

from tvm_patdnn.evaluation.random_inputs import random_inputs
from tvm_patdnn.tensor_spec import TensorSpec


def test_every_kind_always_the_same():
    kinds = ("float32", "float16", "int64", "uint8", "bool")
    specs = {kind: TensorSpec((1, 3, 4), kind) for kind in kinds}
    first, second = random_inputs(specs), random_inputs(specs)
    for kind, array in first.items():
        assert (array.shape, str(array.dtype)) == ((1, 3, 4), kind)
        assert 0 <= array.min() < array.max() <= 1
        assert np.array_equal(array, second[kind])


def test_a_single_number():
    assert random_inputs({"x": TensorSpec((), "float32")})["x"].shape == ()
