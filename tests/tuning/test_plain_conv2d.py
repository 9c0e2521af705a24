import numpy as np
import pytest
from onnx import helper
from onnxruntime import InferenceSession

from te_schedules.gpu.conv2d_geometry import GpuGeometry
from te_schedules.window import Window
from tests.onnx_models import model_of
from tvm_patdnn.tuning.plain_conv2d import plain_conv2d


@pytest.mark.parametrize(
    ("filters", "channels", "groups", "taps", "stride", "dilation", "pads"),
    [
        (4, 6, 1, (3, 3), (1, 1), (1, 1), (1, 1)),
        (6, 6, 6, (3, 3), (2, 2), (1, 1), (1, 1)),
        (4, 6, 2, (1, 5), (2, 1), (1, 2), (0, 3)),
        (3, 2, 1, (1, 1), (3, 2), (1, 1), (0, 0)),
    ],
)
def test_it_is_what_onnxruntime_computes(filters, channels, groups, taps, stride, dilation, pads):
    rng = np.random.default_rng(0)
    data = rng.standard_normal((2, channels, 9, 11), np.float32)
    weight = rng.standard_normal((filters, channels // groups, *taps), np.float32)
    node = helper.make_node(
        "Conv",
        ["x", "w"],
        ["y"],
        group=groups,
        strides=stride,
        dilations=dilation,
        pads=[*pads, *pads],
    )
    model = model_of([node], inputs={"x": data.shape}, weights={"w": weight})
    (expected,) = InferenceSession(model.SerializeToString()).run(None, {"x": data})
    geometry = GpuGeometry.of(Window(taps, stride, dilation, pads), data.shape, expected.shape)
    found = plain_conv2d(data, weight, geometry, groups)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)
