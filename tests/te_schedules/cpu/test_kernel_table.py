import importlib
import inspect
import pkgutil
from functools import cache

import numpy as np
import pytest
import tvm
from tvm.tirx.script import builder as T

import te_schedules.cpu
from te_schedules.cpu import conv2d_samples, kernel_samples
from te_schedules.cpu.int8.kernel_table import INT8_KERNELS
from te_schedules.cpu.kernel_table import KERNELS
from te_schedules.cpu.vector_code import VectorCode, prim_func
from tests.te_schedules.cpu.lane_kernels import run_kernel
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.machine.targets import resolve_target

SAMPLES = (conv2d_samples, kernel_samples)
TARGETS = {
    "avx512": "llvm -mtriple=x86_64-linux-gnu -mcpu=skylake-avx512",
    "avx2": "llvm -mtriple=x86_64-linux-gnu -mcpu=haswell",
    "neon": "raspberry-pi-4",
}


def generators() -> set:
    """Every public function of the package that makes a kernel."""
    found = set()
    for entry in pkgutil.walk_packages(te_schedules.cpu.__path__, "te_schedules.cpu."):
        module = importlib.import_module(entry.name)
        for name in getattr(module, "__all__", ()):
            value = getattr(module, name)
            makes = getattr(value, "__annotations__", {}).get("return") == "PrimFunc"
            if inspect.isfunction(value) and makes and value is not prim_func:
                found.add(value)
    return found


@cache
def assembly(target: str) -> dict[str, str]:
    """The generated code of every kernel."""
    resolved = resolve_target(TARGETS[target])
    lanes = CpuModel.from_target(resolved).lanes
    found = {}
    for name, kernel in KERNELS.items():
        func = kernel.sample(lanes).func.with_attr("global_symbol", "kernel")
        built = tvm.compile(tvm.IRModule({"kernel": func}), target=resolved)
        found[name] = built.mod.inspect_source("asm")
    return found


def test_no_kernel_is_left_out():
    assert len(generators()) >= 6
    kernels = [*KERNELS.values(), *INT8_KERNELS.values()]
    assert {kernel.generator for kernel in kernels} == generators()


def test_every_sample_is_in_the_table_once():
    used = [kernel.sample for kernel in KERNELS.values()]
    made = [getattr(module, name) for module in SAMPLES for name in module.__all__]
    assert sorted(map(id, used)) == sorted(map(id, made))


@pytest.mark.parametrize("lanes", [4, 8, 16])
@pytest.mark.parametrize("name", KERNELS)
def test_the_sample_gives_what_it_says(name, lanes):
    sample = KERNELS[name].sample(lanes)
    got = run_kernel(sample.func, sample.arguments, sample.expected.shape)
    written = ~np.isnan(got)
    # Only the vector that makes a plane's number of vectors odd may be left unwritten.
    assert (~written).sum(axis=-1).max() <= lanes
    assert not sample.expected[~written].any()
    np.testing.assert_allclose(got[written], sample.expected[written], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("name", KERNELS)
def test_registers_are_no_allocations(name, target):
    """A buffer meant as a register would otherwise be allocated anew at each use."""
    allocates = "TVMBackendAllocWorkspace" in assembly(target)[name]
    assert allocates == KERNELS[name].allocates


def test_an_allocation_would_be_seen():
    def body(output) -> None:
        code = VectorCode(4)
        slow = T.alloc_buffer((4,), "float32", scope="local")
        with T.serial(8) as i:
            code.set(slow, code.load(output, i * 4) + code.broadcast(1.0))
            code.store(output, code.get(slow), i * 4)

    func = prim_func([("output", (32,), "float32")], body).with_attr("global_symbol", "kernel")
    built = tvm.compile(tvm.IRModule({"kernel": func}), target=resolve_target(TARGETS["neon"]))
    assert "TVMBackendAllocWorkspace" in built.mod.inspect_source("asm")


@pytest.mark.parametrize(
    ("target", "register", "product"),
    [("avx512", "zmm", "vfmadd"), ("avx2", "ymm", "vfmadd"), ("neon", ".4s", "fmla")],
)
def test_products_are_fused_and_take_whole_vectors(target, register, product):
    for name in ("pattern conv2d", "dense conv2d", "depthwise conv2d", "fully connected"):
        lines = assembly(target)[name].splitlines()
        assert any(product in line and register in line for line in lines), name
