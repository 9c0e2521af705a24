import pytest

from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.machine.dot_instructions import best_dot_instructions
from tvm_patdnn.machine.targets import resolve_target


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=znver4", "avx512-vbmi"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=cascadelake", "avx512-vnni"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=skylake-avx512", "avx2"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=alderlake", "avx-vnni"),
        ("x86-64-v3", "avx2"),
        ("llvm -mtriple=x86_64-linux-gnu", "plain"),
        ("raspberry-pi-4", "neon"),
        ("raspberry-pi-5", "dotprod"),
        ("llvm -mtriple=aarch64-linux-gnu -mcpu=neoverse-v1", "i8mm"),
        ("llvm -mtriple=aarch64-linux-gnu -mcpu=cortex-a72 -mattr=+dotprod", "dotprod"),
    ],
)
def test_a_cpu_has_the_best_that_it_is_known_to_have(target, expected):
    assert CpuModel.from_target(resolve_target(target)).dots == expected


def test_neon_is_what_every_aarch64_has():
    assert best_dot_instructions("aarch64", set()) == "neon"
    assert best_dot_instructions("arm", {"neon"}) == "plain"
