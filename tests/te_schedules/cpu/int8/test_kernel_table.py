import numpy as np
import pytest
import tvm

from te_schedules.cpu.int8 import int8_samples, plane_samples
from te_schedules.cpu.int8.kernel_table import INT8_KERNELS
from tests.te_schedules.cpu.lane_kernels import compiled
from tests.te_schedules.cpu.test_kernel_table import TARGETS
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.machine.targets import resolve_target

MEMORIES = {
    "int8 conv2d": 3,  # the strip, what is staged and a small memory
    "int8 winograd conv2d": 5,  # a channel's bytes, its words; transforms, sums; what is staged
}


def test_every_sample_is_in_the_table_once():
    used = [kernel.sample for kernel in INT8_KERNELS.values()]
    modules = (int8_samples, plane_samples)
    made = [getattr(module, name) for module in modules for name in module.__all__]
    assert sorted(map(id, used)) == sorted(map(id, made))


@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize("name", INT8_KERNELS)
def test_the_sample_gives_what_it_says_and_writes_nothing_else(name, lanes):
    sample = INT8_KERNELS[name].sample(lanes)
    output = tvm.runtime.tensor(np.zeros_like(sample.expected))
    compiled(sample.func).jit()["main"](*map(tvm.runtime.tensor, sample.arguments), output)
    np.testing.assert_array_equal(output.numpy(), sample.expected)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", INT8_KERNELS)
def test_registers_are_no_allocations(name, target):
    """What is allocated is as much as a thread needs, once for each of its tasks."""
    resolved = resolve_target(TARGETS[target])
    kernel = INT8_KERNELS[name]
    func = kernel.sample(CpuModel.from_target(resolved).lanes).func
    built = compiled(func, resolved)
    calls = built.mod.inspect_source("asm").count("TVMBackendAllocWorkspace")
    assert (calls > 0) == kernel.allocates
    assert calls <= 3 * MEMORIES.get(name, 0)  # each is named thrice
