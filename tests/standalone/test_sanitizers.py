"""The runtime and the generated C under sanitizers; kernels are not instrumented."""

import subprocess

import pytest

from tests.built import inputs, library, require_linker
from tests.standalone.programs import ROOT, flag, kernels, run

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    require_linker(library())
    made = tmp_path_factory.mktemp("sanitized")
    library().export_standalone(made / "net", "net")
    (made / "x.bin").write_bytes(inputs()["x"].tobytes())
    (made / "y.bin").write_bytes(library().run(inputs())["y"].tobytes())
    return made


@pytest.mark.parametrize("sanitizer", ["address,undefined", "thread"])
@pytest.mark.parametrize("rounds", ["20000", "0"])
def test_nothing_is_found(folder, sanitizer, rounds):
    """With threads that look again for long, and with threads that sleep at once."""
    flags = [f"-fsanitize={sanitizer}", "-fno-sanitize-recover=all", "-g", "-O1", "-std=c11"]
    sources = ["net/net.c", ROOT / "tests" / "standalone" / "interface.c", *kernels(folder / "net")]
    defined = ['-DWEIGHTS="net/weights.bin"', f"-DROUNDS={rounds}", "-Inet"]
    line = [flag("cc"), *flags, *defined, *sources, "-lm", "-lpthread", "-o", "program"]
    done = subprocess.run(line, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no sanitizer: {done.stderr[-300:]}")
    assert run(["./program", "x.bin", "y.bin"], folder) == "ok\n"
