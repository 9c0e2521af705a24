import shutil
import struct

import numpy as np
import pytest
import tvm
from tvm.script import ir as I
from tvm.script import tirx as T

from tvm_patdnn.errors import BuildError
from tvm_patdnn.library import cross_compile
from tvm_patdnn.library.cross_compile import Linker, export_compiler
from tvm_patdnn.machine.host_cpu import host_triple
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.machine.triples import architecture, is_host_platform, operating_system

EM_AARCH64 = 183  # the machine's number in an ELF header
FOREIGN_BOARD = "raspberry-pi-4" if architecture(host_triple()) != "aarch64" else "x86-64-v3"


@I.ir_module
class Negate:
    @T.prim_func
    def main(x: T.Buffer((8,), "float32"), y: T.Buffer((8,), "float32")):
        for i in range(8):
            y[i] = -x[i]


@pytest.fixture
def tools(monkeypatch):
    """The machine has just the programs in this set, and "ziglang" for the package."""
    present = set()
    monkeypatch.delenv("TVM_NDK_CC", raising=False)
    monkeypatch.setattr(shutil, "which", lambda name: name if name in present else None)
    monkeypatch.setattr(cross_compile.cc, "get_cc", lambda: "cc" if "cc" in present else None)
    monkeypatch.setattr(
        cross_compile.importlib.util, "find_spec", lambda name: name if name in present else None
    )
    return present


def command(target):
    return export_compiler(resolve_target(target)).command


def test_native_uses_the_compiler_of_the_machine(tools):
    tools |= {"cc", "ld.lld", "ziglang"}
    assert command("native")[:3] == ("cc", "-shared", "-fPIC")


def test_cross_tools_best_first(tools):
    if is_host_platform("aarch64-linux-gnu"):
        pytest.skip("this machine is an AArch64 Linux itself")
    tools |= {"ziglang", "cc"}
    zig = command("raspberry-pi-4")
    assert zig[1:] == (
        "-m",
        "ziglang",
        "cc",
        "-target",
        "aarch64-linux-gnu.2.28",
        "-shared",
        "-fPIC",
    )
    tools.add("ld.lld")
    assert command("raspberry-pi-4") == ("ld.lld", "-shared")
    tools.add("aarch64-linux-gnu-ld")
    assert command("raspberry-pi-4") == ("aarch64-linux-gnu-ld", "-shared")
    tools.add("aarch64-linux-gnu-gcc")
    assert command("raspberry-pi-4") == ("aarch64-linux-gnu-gcc", "-shared", "-fPIC")
    tools.add("aarch64-linux-gnu-g++")
    assert command("raspberry-pi-4") == ("aarch64-linux-gnu-g++", "-shared", "-fPIC")


@pytest.mark.parametrize(
    ("triple", "tool"),
    [
        ("aarch64-unknown-linux-gnu", "aarch64-linux-gnu-g++"),
        ("armv7l-linux-gnueabihf", "arm-linux-gnueabihf-g++"),
        ("riscv64-linux-gnu", "riscv64-linux-gnu-g++"),
    ],
)
def test_tools_have_debians_names(tools, triple, tool):
    tools.add(tool)
    assert command(f"llvm -mtriple={triple}")[0] == tool


@pytest.mark.parametrize(
    ("target", "zig_target", "last"),
    [
        ("raspberry-pi-2", "arm-linux-gnueabihf.2.28", "-fPIC"),
        ("android-arm64", "aarch64-linux-android", "-nostdlib"),
        ("apple-m1", "aarch64-macos", "dynamic_lookup"),
        ("llvm -mtriple=aarch64-linux-musl", "aarch64-linux-musl", "-fPIC"),
    ],
)
def test_zig_targets(tools, target, zig_target, last):
    tools.add("ziglang")
    chosen = command(target)
    assert chosen[5] == zig_target
    assert chosen[-1] == last


def test_the_ndk_compiler_is_named_by_the_environment(tools, monkeypatch):
    monkeypatch.setenv("TVM_NDK_CC", "/ndk/clang++")
    tools.add("/ndk/clang++")
    assert command("android-arm64")[0] == "/ndk/clang++"


@pytest.mark.parametrize(
    ("target", "advice"),
    [
        (
            "raspberry-pi-2",
            r"arm-linux-gnueabihf-g\+\+, .*apt-get install g\+\+-arm-linux-gnueabihf`",
        ),
        ("android-arm64", r"set TVM_NDK_CC to the NDK's clang, or `pip install ziglang`"),
        ("llvm -mtriple=arm64-apple-ios", r"put a aarch64-apple-ios-g\+\+ on the PATH"),
        ("native", r"to get one: .*"),
    ],
)
def test_says_what_to_install(tools, target, advice):
    with pytest.raises(BuildError, match=rf"linking for '.*': found none of .*{advice}"):
        command(target)


def test_a_gpu_target_is_linked_for_its_host(tools):
    tools.add("cc")
    assert export_compiler(resolve_target("opencl")).triple == host_triple()


def test_links_for_another_machine(tmp_path):
    target = resolve_target(FOREIGN_BOARD)
    try:
        linker = export_compiler(target)
    except BuildError as error:
        pytest.skip(str(error))
    path = tmp_path / "negate.so"
    tvm.compile(Negate, target=target).export_library(str(path), fcompile=linker)
    header = path.read_bytes()[:20]
    assert header.startswith(b"\x7fELF")
    if FOREIGN_BOARD == "raspberry-pi-4":
        assert struct.unpack_from("<H", header, 18) == (EM_AARCH64,)


def test_links_for_this_machine(tmp_path):
    target = resolve_target("native")
    try:
        linker = export_compiler(target)
    except BuildError as error:
        pytest.skip(str(error))
    path = tmp_path / "negate.so"
    tvm.compile(Negate, target=target).export_library(str(path), fcompile=linker)
    x, y = (tvm.runtime.tensor(np.arange(k, k + 8, dtype="float32")) for k in (0, 1))
    tvm.runtime.load_module(str(path))["main"](x, y)
    assert (y.numpy() == -x.numpy()).all()


def test_a_failing_link_shows_what_the_linker_said(tmp_path):
    linker = Linker(command=("sh", "-c", "echo no room >&2; exit 3"), triple="aarch64-linux-gnu")
    with pytest.raises(BuildError, match=r"'aarch64-linux-gnu': exit status 3 of .*no room$"):
        linker(str(tmp_path / "out.so"), ["a.o"])


def test_a_linker_that_is_gone(tmp_path):
    linker = Linker(command=("/none/ld",), triple="aarch64-linux-gnu")
    with pytest.raises(BuildError, match="cannot start /none/ld"):
        linker(str(tmp_path / "out.so"), ["a.o"], ["-O2"])


@pytest.mark.parametrize(
    ("triple", "arch", "system"),
    [
        ("x86_64-linux-gnu", "x86_64", "linux"),
        ("arm64-apple-darwin", "aarch64", "darwin"),
        ("arm64-apple-macos13", "aarch64", "darwin"),
        ("aarch64-linux-android", "aarch64", "android"),
        ("armv7l-linux-gnueabihf", "arm", "linux"),
        ("amd64-pc-windows-msvc", "x86_64", "windows"),
        ("riscv64-unknown-elf", "riscv64", ""),
    ],
)
def test_triples(triple, arch, system):
    assert (architecture(triple), operating_system(triple)) == (arch, system)
