import struct
import sys
from pathlib import Path

import pytest

from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library import elf
from tvm_patdnn.library.elf import check_loads_here

MACHINES = {"i386": 3, "arm": 40, "x86_64": 62, "aarch64": 183, "riscv64": 243}


@pytest.fixture
def header(tmp_path):
    def write(machine, length=64):
        path = tmp_path / "model.so"
        data = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9) + struct.pack("<HH", 3, machine)
        path.write_bytes(data.ljust(64, b"\0")[:length])
        return path

    return write


@pytest.fixture
def on(monkeypatch):
    def choose(triple):
        monkeypatch.setattr(elf, "host_platform", lambda: triple)

    return choose


@pytest.mark.parametrize("host", MACHINES)
@pytest.mark.parametrize("built_for", MACHINES)
def test_only_the_own_architecture_loads(header, on, host, built_for):
    on(f"{host}-linux-gnu")
    path = header(MACHINES[built_for])
    if host == built_for:
        check_loads_here(path)
        return
    with pytest.raises(
        LibraryError,
        match=f"model.so: is built for {built_for}, but this machine is {host}; run it on such a "
        "device, or build it with --target native",
    ):
        check_loads_here(path)


def test_unheard_of_machines_have_a_number(header, on):
    on("x86_64-linux-gnu")
    with pytest.raises(LibraryError, match="is built for machine 258, but this machine is x86_64"):
        check_loads_here(header(258))


@pytest.mark.parametrize("data", [b"", b"\x7fELF", b"!<arch>\n" + bytes(60), b"PK\x03\x04" * 9])
def test_what_is_no_library(tmp_path, on, data):
    on("x86_64-linux-gnu")
    path = tmp_path / "model.so"
    path.write_bytes(data)
    with pytest.raises(LibraryError, match="is not a shared library; give a file that `build` wr"):
        check_loads_here(path)


def test_no_file(tmp_path):
    with pytest.raises(LibraryError, match="none.so: cannot be read: No such file or directory"):
        check_loads_here(tmp_path / "none.so")
    with pytest.raises(LibraryError, match="cannot be read: Is a directory"):
        check_loads_here(tmp_path)


def test_other_systems_have_other_formats(tmp_path, on):
    on("arm64-apple-darwin")
    path = tmp_path / "model.dylib"
    path.write_bytes(b"\xcf\xfa\xed\xfe")
    check_loads_here(path)


@pytest.mark.skipif(sys.platform != "linux", reason="this Python is no ELF file")
def test_this_python_runs_here():
    check_loads_here(Path(sys.executable))
