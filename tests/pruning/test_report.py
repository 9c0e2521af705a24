import numpy as np

from tvm_patdnn.pruning import PrunedLayer, format_table
from tvm_patdnn.pruning.report import describe_layer

TABLE = """\
layer             shape    patterns  kernels kept  compression
a                 1x2x2x2         1        1 of 2        8.00x
b                 1x2x2x2         1        2 of 2        1.00x  left alone: depthwise
all convolutions                         3 of 4        1.78x  1 of 2 pruned"""


def half_pruned() -> np.ndarray:
    weight = np.zeros((1, 2, 2, 2))
    weight[0, 0, 0, 0] = 1
    return weight


def test_the_table():
    rows = [
        describe_layer("a", half_pruned(), None),
        describe_layer("b", np.ones((1, 2, 2, 2)), "depthwise"),
    ]
    lines = format_table(rows).splitlines()
    assert [line.split() for line in lines] == [line.split() for line in TABLE.splitlines()]
    assert len({line.index("of") for line in lines[1:]}) == 1


def test_a_layer_of_zeros_is_compressed_without_bound():
    assert describe_layer("a", np.zeros((2, 2, 3, 3)), None).compression == float("inf")


def test_a_layer_without_constant_weight():
    row = describe_layer("a", None, "computed")
    assert row == PrunedLayer(name="a", reason="computed")
    assert row.compression == 1.0
