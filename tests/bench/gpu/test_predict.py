from collections import Counter
from dataclasses import replace

import pytest

from tvm_patdnn.bench.gpu.machine_code import KernelCode
from tvm_patdnn.bench.gpu.predict import Work, predict
from tvm_patdnn.machine.gpu_model import GpuModel
from tvm_patdnn.machine.targets import resolve_target

LOOP = Counter({"FFMA": 112, "LDS": 17, "LDS.128": 4, "IADD3": 11})
WINDOW = Counter({"LDG": 10, "STS": 10, "BAR": 2})
CODE = KernelCode(inner=(LOOP, LOOP), outer=WINDOW)
WORK = Work(macs=112 * 32 * 8 * 100 * 264, kernels=100, windows=10, warps=8, blocks=264, columns=1)


def gpu(arch: str) -> GpuModel:
    return GpuModel.from_target(resolve_target(f"cuda -arch={arch}"))


def test_products_bound_a_gpu_that_does_half_a_warp_a_cycle():
    found = predict(CODE, WORK, gpu("sm_80"))
    assert found.inner == found.whole == 1.0
    assert found.tail == pytest.approx(264 / 324)
    assert found.share == found.whole * found.tail


def test_instructions_bound_a_gpu_that_does_a_warp_a_cycle():
    found = predict(CODE, WORK, gpu("sm_90"))
    assert found.inner == pytest.approx(112 / 144)
    assert found.whole == pytest.approx(11200 / (14400 + 220))
    assert found.tail == 1.0
    assert found.micros == pytest.approx(2 * 8 * 14620 / 4 / 1755)


def test_the_share_and_the_time_say_the_same():
    for arch in ("sm_80", "sm_90"):
        found = predict(CODE, WORK, gpu(arch))
        assert WORK.macs / gpu(arch).peak / found.micros == pytest.approx(found.share)


def test_pairs_of_columns_are_two_accesses():
    loads = KernelCode(inner=(Counter({"FFMA": 10, "LDS": 30}),), outer=Counter())
    one, two = (
        predict(loads, replace(WORK, columns=columns), gpu("sm_90")).micros for columns in (1, 2)
    )
    assert two == 2 * one
