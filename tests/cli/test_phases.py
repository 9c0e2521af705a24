import io
import re
import sys

import pytest

from tvm_patdnn.cli import main


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize(
    "words",
    [
        ["inspect", "pruned.onnx"],
        ["prune", "model.onnx", "-o", "out.onnx"],
        ["build", "pruned.onnx", "-o", "out.so"],
        ["run", "model.so", "--input", "x=x.npy", "--repeats", "1"],
    ],
)
def test_every_command_counts_its_phases(files, monkeypatch, words):
    monkeypatch.chdir(files)
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert main(words) == 0
    done, phases = re.findall(r"(\d+)/(\d+)", terminal.getvalue())[-1]
    assert int(done) == int(phases) - 1 >= 2  # the last one is under way
