import numpy as np

from tests.onnx_models import conv_weight
from tvm_patdnn.sparse.weight_key import weight_key


def test_the_key_depends_on_shape_and_values_only():
    weight = conv_weight()
    half = weight.astype(np.float16)
    assert weight_key(weight) == weight_key(np.asfortranarray(weight))
    assert weight_key(half) == weight_key(half.astype(np.float32))
    assert weight_key(weight) != weight_key(weight.reshape(4, 27))
    assert weight_key(weight) != weight_key(weight + 1)
