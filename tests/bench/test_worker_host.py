import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tvm_patdnn.bench.worker_host import peak_rss

_PARENT = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", '''
import time
from tvm_patdnn.bench.worker_host import die_with_parent
die_with_parent()
print("ready", flush=True)
time.sleep(600)
'''], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
"""
_PRINTS = """
import os
from tvm_patdnn.bench.worker_host import take_stdout
replies = take_stdout()
print("from Python", flush=True)
os.write(1, b"from C\\n")
print("a reply", file=replies, flush=True)
"""


def test_the_peak_stays_when_memory_is_freed():
    size = peak_rss() + (32 << 20)  # more than all there was
    array = np.ones(size, np.uint8)
    assert array[-1] == 1
    del array
    assert size <= peak_rss() < 3 * size


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="Linux ends orphans, others not")
def test_a_worker_ends_with_its_parent():
    done = subprocess.run(
        [sys.executable, "-c", _PARENT], capture_output=True, text=True, check=True, timeout=60
    )
    process = Path(f"/proc/{done.stdout.strip()}")
    for _ in range(500):
        if not process.exists() or "Z" in process.joinpath("stat").read_text().split()[2]:
            return
    pytest.fail("it goes on")


def test_stdout_is_for_replies():
    done = subprocess.run(
        [sys.executable, "-c", _PRINTS], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout == "a reply\n"
    assert done.stderr == "from Python\nfrom C\n"
