from itertools import pairwise

import numpy as np
import onnx
from onnx import numpy_helper

from tvm_patdnn.bench.sample_layers import VGG_LAYERS, SampleLayer


def test_a_layer_is_a_valid_model_of_its_shape():
    model = SampleLayer(in_c=3, out_c=4, side=6).dense()
    onnx.checker.check_model(model, full_check=True)
    shapes = [
        [dim.dim_value for dim in value.type.tensor_type.shape.dim]
        for value in (*model.graph.input, *model.graph.output)
    ]
    assert shapes == [[1, 3, 6, 6], [1, 4, 6, 6]]
    assert str(SampleLayer(in_c=3, out_c=4, side=6)) == "3->4@6x6"


def test_a_pruned_layer_has_patterns_and_fewer_kernels():
    model = SampleLayer(in_c=16, out_c=16, side=6).pruned(connectivity=4.0)
    weight = numpy_helper.to_array(model.graph.initializer[0])
    kept = np.count_nonzero(weight, axis=(2, 3))
    assert set(kept.ravel()) == {0, 4}
    assert np.count_nonzero(kept) == 64


def test_the_layers_of_vgg_follow_each_other():
    assert len(VGG_LAYERS) == 9
    assert all(layer.out_c == after.in_c for layer, after in pairwise(VGG_LAYERS))
