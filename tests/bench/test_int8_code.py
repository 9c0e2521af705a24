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
