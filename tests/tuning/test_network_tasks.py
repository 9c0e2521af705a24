import pytest
from onnx import helper

import tvm_patdnn
from tests.built import pruned_network
from tests.onnx_models import model_of
from tests.quantised_models import quantised
from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.errors import TuningError
from tvm_patdnn.records.families import FAMILIES
from tvm_patdnn.records.record_files import append_records
from tvm_patdnn.records.tuning_records import Record
from tvm_patdnn.tuning.network_tasks import network_tasks
from tvm_patdnn.tuning.problem import TuningTask


def tasks_of(model, target=None) -> list[TuningTask]:
    request = Request(onnx_model=model, target=target)
    return network_tasks(Compilation.of(request, lambda phase: None))


@pytest.mark.parametrize(
    ("target", "family"), [(None, "cpu conv2d float32"), ("mali", "gpu conv2d")]
)
def test_each_target_has_its_family(target, family):
    found = tasks_of(pruned_network(), target)
    assert [task.key.family for task in found] == [family, family]
    assert [list(task.layers) for task in found] == [["conv1"], ["conv2"]]


def test_convolutions_of_bytes():
    tasks = tasks_of(quantised())
    assert len({task.key for task in tasks}) == len(tasks)
    assert {task.key.family for task in tasks} == {"cpu conv2d int8"}
    matrices = [node for node in quantised().graph.node if node.op_type in ("Gemm", "MatMul")]
    convolutions = [node for node in quantised().graph.node if node.op_type == "Conv"]
    assert matrices
    assert sum(len(task.layers) for task in tasks) == len(convolutions)


def test_a_build_takes_what_was_measured_of_bytes(tmp_path):
    task = tasks_of(quantised())[0]
    point = task.space.points[-1]
    version = FAMILIES[task.key.family].version
    record = Record(key=task.key, version=version, configuration=point, seconds=1e-9)
    append_records(tmp_path / "log.jsonl", [record])
    rows = tvm_patdnn.inspect(quantised(), logs=tmp_path)
    (row,) = [row for row in rows if row.name == task.layers[0]]
    assert row.reason.endswith("; scheduled as measured")
    assert (row.schedule["rows"], row.schedule["tile"]) == (point.rows, point.tile)


def test_what_nothing_measures():
    with pytest.raises(TuningError, match="target 'cuda': kernels for GPUs are measured by OpenCL"):
        tasks_of(pruned_network(), "cuda -arch=sm_80")


def test_nothing_to_tune():
    model = model_of([helper.make_node("Relu", ["x"], ["y"])], inputs={"x": (1, 2, 4, 4)})
    with pytest.raises(TuningError, match="nothing to tune"):
        tasks_of(model, "opencl")
