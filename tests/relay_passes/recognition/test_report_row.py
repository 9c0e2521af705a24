import numpy as np
import pytest

from relay_passes.recognition.analyze_convolutions import ConvLayer
from relay_passes.recognition.report_row import report_row

COMPUTED = {
    "kernel": "dense",
    "joined": False,
    "reason": "as it is",
    "schedule": {},
    "input_loads": 0,
    "products": 0,
    "bytes": 0,
    "structure_bytes": 0,
}


def layer():
    """Two filters of two channels; one kernel has four weights, one has one, two have none."""
    weight = np.zeros((2, 2, 3, 3), np.float32)
    weight[0, 0, :2, :2] = 1
    weight[1, 1, 1, 1] = 2
    return ConvLayer(
        name="c",
        weight=weight,
        groups=1,
        stride=(1, 1),
        dilation=(1, 1),
        padding=(1, 1, 1, 1),
        in_shape=(1, 2, 5, 5),
        out_shape=(1, 2, 5, 5),
    )


@pytest.mark.parametrize(("value_bytes", "dense", "csr"), [(4, 144, 52), (1, 36, 37)])
def test_what_is_said_of_a_layer(value_bytes, dense, csr):
    row = report_row(layer(), value_bytes=value_bytes, **COMPUTED)
    assert (row.kept_kernels, row.kernels) == (2, 4)
    assert row.compression == pytest.approx(36 / 5)
    assert (row.dense_macs, row.kept_macs) == (36 * 25, 5 * 25)
    assert (row.dense_bytes, row.csr_bytes) == (dense, csr)
    assert row.in_shape == row.out_shape == [1, 2, 5, 5]
    assert row.reason == "as it is"
