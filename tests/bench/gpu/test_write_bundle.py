from tvm_patdnn.bench.gpu import write_bundle as module
from tvm_patdnn.bench.gpu.layer_case import Layer
from tvm_patdnn.bench.gpu.write_bundle import LayerPlan, write_bundle
from tvm_patdnn.machine.targets import resolve_target

LAYER = Layer(name="small", in_c=16, out_c=32, side=28)
PLAN = LayerPlan(variant="blocks of 4", batch=1, schedules=2, busy=(2,))


def test_all_schedules_of_a_layer_are_compiled_at_once_for_the_architecture(tmp_path, monkeypatch):
    calls = []
    monkeypatch.setattr(module, "compile_cuda", lambda *given: calls.append(given))
    cases = write_bundle(tmp_path, resolve_target("cuda -arch=sm_80"), [LAYER], [PLAN])
    ((source, path, arch, _),) = calls
    assert arch == "sm_80"
    assert all(case.launches[0].kernel in source for case in cases)
    assert {case.module for case in cases} == {path.name} == {"small-blocks-of-4-1-float32.cubin"}
    assert len({str(case.schedule) for case in cases}) == len(cases) >= 2
