import subprocess
import sys
from importlib import import_module

import pytest

from tvm_patdnn.cli.without_torch import without_torch


def test_torch_is_not_found_in_the_block_and_found_behind_it(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch", raising=False)
    with without_torch(), pytest.raises(ModuleNotFoundError):
        import_module("torch")
    assert "torch" not in sys.modules


def test_torch_that_is_there_stays(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", sys)
    with without_torch():
        assert import_module("torch") is sys


def test_tvm_does_not_bring_it():
    program = (
        "import sys\nfrom tvm_patdnn.cli.without_torch import without_torch\n"
        "with without_torch():\n    import tvm_patdnn.builder\n"
        "assert 'tvm' in sys.modules and 'torch' not in sys.modules"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
