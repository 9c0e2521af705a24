from dataclasses import replace

import pytest
from tvm.target import Target

from tvm_patdnn.errors import TargetError
from tvm_patdnn.machine import cpu_model
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.machine.host_cpu import host_cache_bytes
from tvm_patdnn.machine.targets import resolve_target

KB = 1024


@pytest.mark.parametrize(
    ("target", "lanes", "registers"),
    [
        ("llvm -mtriple=x86_64-linux-gnu", 4, 16),
        ("x86-64-v2", 4, 16),
        ("x86-64-v3", 8, 16),
        ("x86-64-v4", 16, 32),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=sandybridge", 8, 16),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=sapphirerapids", 16, 32),
        ("llvm -mtriple=x86_64-linux-gnu -mattr=+avx2", 8, 16),
        ("llvm -mtriple=x86_64-linux-gnu -mcpu=znver5 -mattr=-avx512f", 8, 16),
        ("llvm -mtriple=i686-linux-gnu", 4, 8),
        ("llvm -mtriple=aarch64-linux-gnu", 4, 32),
        ("graviton3", 4, 32),
        ("apple-m1", 4, 32),
        ("raspberry-pi-2", 4, 16),
        ("llvm -mtriple=riscv64-linux-gnu -mcpu=generic-rv64", 4, 16),
    ],
)
def test_vectors(target, lanes, registers):
    model = CpuModel.from_target(resolve_target(target))
    assert (model.lanes, model.registers) == (lanes, registers)


def test_caches_and_cores_of_a_board():
    model = CpuModel.from_target(resolve_target("raspberry-pi-4 -num-cores=3"))
    assert (model.l1_bytes, model.l2_bytes, model.num_cores) == (32 * KB, 256 * KB, 3)


def test_a_cpu_that_is_not_listed_gets_a_safe_guess():
    model = CpuModel.from_target(resolve_target("llvm -mtriple=x86_64-linux-gnu -mcpu=penryn"))
    assert (model.l1_bytes, model.l2_bytes) == (32 * KB, 256 * KB)


def test_this_machine_is_asked_for_its_caches(monkeypatch):
    monkeypatch.setattr(cpu_model, "host_cache_bytes", {1: 40 * KB, 2: None}.get)
    monkeypatch.setattr(cpu_model, "host_cpu", lambda: "znver5")
    monkeypatch.setattr(cpu_model, "is_host_platform", lambda triple: True)
    model = CpuModel.from_target(resolve_target("llvm -mtriple=x86_64-linux-gnu -mcpu=znver5"))
    assert (model.l1_bytes, model.l2_bytes) == (40 * KB, 1024 * KB)


def test_a_target_of_tvm_without_triple():
    model = CpuModel.from_target(Target({"kind": "llvm"}))
    assert model.lanes >= 4
    assert model.num_cores == 4


@pytest.mark.parametrize(
    ("cpu", "passes", "l1_parts", "streams"),
    [
        ("znver3", 1, False, False),  # AVX2: a vector is half a line
        ("znver4", 2, True, True),
        ("znver4 -mattr=-avx512f", 1, False, False),
        ("znver5", 1, True, True),
        ("sapphirerapids", 1, True, False),
    ],
)
def test_units_and_caches_of_wide_vectors(cpu, passes, l1_parts, streams):
    target = resolve_target(f"llvm -mtriple=x86_64-linux-gnu -mcpu={cpu}")
    model = CpuModel.from_target(target)
    assert (model.passes, model.l1_parts, model.streams) == (passes, l1_parts, streams)
    assert model.as_ranked == replace(model, passes=1, l1_parts=False, streams=False)


def test_not_a_cpu():
    with pytest.raises(
        TargetError,
        match="target kind 'opencl': CPUs only; expected 'llvm', or a preset such as 'rasp",
    ):
        CpuModel.from_target(Target("opencl"))


def test_numbers_are_checked():
    with pytest.raises(TargetError, match=r"CpuModel.lanes: got 0, expected a positive number"):
        CpuModel(lanes=0, registers=16, l1_bytes=1, l2_bytes=1, num_cores=1)


def write_cache(folder, index, **entries):
    (folder / index).mkdir(parents=True)
    for name, value in entries.items():
        (folder / index / name).write_text(f"{value}\n")


def test_shared_caches_are_divided_by_cores_not_by_threads(tmp_path):
    (tmp_path / "topology").mkdir()
    (tmp_path / "topology" / "thread_siblings_list").write_text("0,8\n")
    cache = tmp_path / "cache"
    write_cache(cache, "index0", level=1, type="Data", size="48K", shared_cpu_list="0,8")
    write_cache(cache, "index1", level=1, type="Instruction", size="64K", shared_cpu_list="0,8")
    write_cache(cache, "index2", level=2, type="Unified", size="4M", shared_cpu_list="0-3,8-11")
    assert host_cache_bytes(1, cache) == 48 * KB
    assert host_cache_bytes(2, cache) == 1024 * KB


def test_a_system_that_does_not_tell(tmp_path):
    write_cache(tmp_path, "index0", level="?", type="Data", size="", shared_cpu_list="")
    assert host_cache_bytes(1, tmp_path) is None
    assert host_cache_bytes(1, tmp_path / "none") is None
