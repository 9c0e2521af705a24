import tvm_patdnn
from relay_passes.pipeline import plan_pipeline
from tests.built import library, pruned_network
from tests.records.samples import record
from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.inspection import inspect
from tvm_patdnn.optimizations import Optimizations
from tvm_patdnn.records.record_files import append_records


def measured(log, **changes) -> None:
    """Writes a record for the pruned layer: the schedule it has, with ``changes``."""
    compilation = Compilation.of(Request(onnx_model=pruned_network()), lambda phase: None)
    with compilation.target:
        plan = plan_pipeline(compilation.model.module, compilation.options)
    planned = plan.convolutions[1]
    schedule = {**vars(planned.choice.schedule), **changes}
    append_records(log, [record(1e-6, planned.key, sparse=True, schedule=schedule)])


def test_is_the_report_of_the_build():
    assert list(inspect(pruned_network())) == list(library().report)


def test_is_the_report_of_the_build_with_records(tmp_path):
    logs = tmp_path / "log.jsonl"
    measured(logs, chunks=3)
    told = inspect(pruned_network(), logs=logs)
    assert told[1].schedule["chunks"] == 3
    assert list(told) == list(tvm_patdnn.build(pruned_network(), logs=logs).report)


def test_is_the_report_of_a_build_that_leaves_something_out():
    use = Optimizations(share_loads=False)
    built = tvm_patdnn.build(pruned_network(), optimizations=use)
    assert list(inspect(pruned_network(), optimizations=use)) == list(built.report)


def test_phases():
    phases = []
    inspect(pruned_network(), progress=phases.append)
    assert phases == ["import", "analysis"]


def test_is_public():
    assert tvm_patdnn.inspect is inspect
