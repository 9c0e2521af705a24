import re
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.built import inputs, library, network, pruned_network, require_linker

PHASE = re.compile(r"tvm-patdnn: [\w ]+\n")  # of `build` where stderr is not a terminal


@pytest.fixture(scope="session")
def files(tmp_path_factory) -> Path:
    """A folder with model.onnx, pruned.onnx, model.so and x.npy."""
    folder = tmp_path_factory.mktemp("cli")
    require_linker(library())
    onnx.save(network(), folder / "model.onnx")
    onnx.save(pruned_network(), folder / "pruned.onnx")
    library().export_library(folder / "model.so")
    np.save(folder / "x.npy", inputs()["x"])
    return folder


@pytest.fixture
def failing(capsys):
    """Runs the command, expects it to fail, and returns the last line on stderr."""
    from tvm_patdnn.cli import main

    def run(*words: object) -> str:
        assert main([str(word) for word in words]) == 1
        said = capsys.readouterr()
        assert said.out == ""
        *phases, line = said.err.splitlines(keepends=True)
        assert line.startswith("tvm-patdnn: error: ")
        assert all(map(PHASE.fullmatch, phases))
        return line

    return run


@pytest.fixture
def printed(capsys):
    """Runs the command, expects it to complain of nothing, and returns what is on stdout."""
    from tvm_patdnn.cli import main

    def run(*words: object) -> str:
        assert main([str(word) for word in words]) == 0
        said = capsys.readouterr()
        assert all(map(PHASE.fullmatch, said.err.splitlines(keepends=True)))
        return said.out

    return run


@pytest.fixture
def misused(capsys):
    """Runs the command, expects a usage error, and returns what is on stderr."""
    from tvm_patdnn.cli import main

    def run(*words: object) -> str:
        with pytest.raises(SystemExit) as stopped:
            main([str(word) for word in words])
        assert stopped.value.code == 2
        said = capsys.readouterr()
        assert said.out == ""
        return said.err

    return run
