import pytest

from tvm_patdnn.bench.int8_code import int8_assembly
from tvm_patdnn.bench.sample_layers import SampleLayer
from tvm_patdnn.bench.static_throughput import inner_loops
from tvm_patdnn.machine.targets import resolve_target

SMALL = SampleLayer(in_c=16, out_c=16, side=14)


@pytest.mark.parametrize(
    ("target", "instruction"),
    [
        ("raspberry-pi-4", "sadalp"),
        ("raspberry-pi-5", "sdot"),
        ("x86-64-v3", "vpmaddubsw"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=cascadelake", "vpdpbusd"),
    ],
)
def test_inner_loops_multiply_bytes(target, instruction):
    loops = inner_loops(int8_assembly(SMALL, resolve_target(target), block=1))
    assert instruction in {loop.instruction for loop in loops}
    assert max(loop.multiply_adds for loop in loops) >= 4


@pytest.mark.parametrize("block", [1, 4])
@pytest.mark.parametrize("cpu", ["znver4", "cascadelake", "alderlake"])
def test_inner_loops_keep_sums_in_registers(cpu, block):
    target = resolve_target(f"llvm -mtriple=x86_64-linux-gnu -mcpu={cpu}")
    loops = inner_loops(int8_assembly(SampleLayer(in_c=32, out_c=32, side=28), target, block))
    longest = max(loops, key=lambda loop: loop.multiply_adds)
    assert [line for line in longest.lines if "rsp" in line] == []
