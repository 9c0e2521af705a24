import gc
import platform
import subprocess
import sys

import pytest

from tvm_patdnn.cli.spare_memory_work import without_collections

PROGRAM = """
import ctypes, resource, sys
from tvm_patdnn.cli.spare_memory_work import keep_freed_memory
if sys.argv[1] == "kept":
    assert keep_freed_memory()
def use(size):
    ctypes.memset((ctypes.c_char * size)(), 1, size)
use(2**25)
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(16):
    use(2**25 - 2**12)
    use(2**24)
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""


def fresh_pages(how: str) -> int:
    done = subprocess.run([sys.executable, "-c", PROGRAM, how], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="the switches are glibc's")
def test_freed_memory_is_used_again_without_the_system():
    assert 10 * fresh_pages("kept") < fresh_pages("as ever")


@pytest.mark.parametrize("enabled", [True, False])
def test_nothing_is_collected_in_the_block_and_all_is_as_before_behind_it(enabled):
    was_on = gc.isenabled()
    try:
        (gc.enable if enabled else gc.disable)()
        with without_collections():
            assert not gc.isenabled()
        assert gc.isenabled() is enabled
    finally:
        (gc.enable if was_on else gc.disable)()
