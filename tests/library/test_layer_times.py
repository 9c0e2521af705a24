from dataclasses import replace

from tests.layer_reports import layer_report
from tvm_patdnn.library.layer_times import median_by_layer


def runs(*names):
    return [
        [(name, scale * (at + 1)) for at, name in enumerate(names)] for scale in (1.0, 3.0, 2.0)
    ]


def layers(*names):
    first = layer_report()
    return [replace(first, name=name.strip("+"), joined=name[0] == "+") for name in names]


def test_kernels_are_named_by_their_layers():
    found = median_by_layer(
        runs("pool2d", "dense_conv2d", "pattern_conv2d1", "relayout"), layers("a", "b")
    )
    assert found == {"a": 4.0, "b": 6.0, "others": 10.0}


def test_layers_of_one_kernel_are_joined():
    found = median_by_layer(runs("conv2d", "conv2d1"), layers("a", "+b", "c"))
    assert found == {"a + b": 2.0, "c": 4.0, "others": 0}


def test_kernels_that_are_no_layers_keep_their_names():
    found = median_by_layer(runs("conv2d", "conv2d1"), layers("a"))
    assert found == {"1: conv2d": 2.0, "2: conv2d1": 4.0, "others": 0}
