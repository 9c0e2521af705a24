import re

import pytest

from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.standalone.cpu_check import cpu_check


@pytest.mark.parametrize(
    ("target", "expression"),
    [
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=x86-64", "1"),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=haswell", '.*supports."avx2".*supports."fma".'),
        ("raspberry-pi-4", "1"),
        ("raspberry-pi-5", r"\(getauxval\(AT_HWCAP\) & 1049856ul\) == 1049856ul"),
        ("raspberry-pi-2", "1"),
    ],
)
def test_what_is_asked_of_the_cpu(target, expression):
    assert re.fullmatch(expression, cpu_check(resolve_target(target)))
