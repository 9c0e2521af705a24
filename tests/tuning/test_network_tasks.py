import pytest
from onnx import helper

from tests.built import pruned_network
from tests.onnx_models import model_of
from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.errors import TuningError
from tvm_patdnn.tuning.network_tasks import network_tasks


def tasks(target, model=None):
    request = Request(onnx_model=model or pruned_network(), target=target)
    return network_tasks(Compilation.of(request, lambda phase: None))


@pytest.mark.parametrize(
    ("target", "family"), [(None, "cpu conv2d float32"), ("mali", "gpu conv2d")]
)
def test_each_target_has_its_family(target, family):
    found = tasks(target)
    assert [task.key.family for task in found] == [family, family]
    assert [list(task.layers) for task in found] == [["conv1"], ["conv2"]]


def test_what_nothing_measures():
    with pytest.raises(TuningError, match="target 'cuda': kernels for GPUs are measured by OpenCL"):
        tasks("cuda -arch=sm_80")


def test_nothing_to_tune():
    model = model_of([helper.make_node("Relu", ["x"], ["y"])], inputs={"x": (1, 2, 4, 4)})
    with pytest.raises(TuningError, match="nothing to tune"):
        tasks("opencl", model)
