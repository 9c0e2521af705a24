import re

import numpy as np
import pytest

from te_schedules.cpu.int8.winograd_products import multiply
from te_schedules.cpu.int8.winograd_space import choose_tiles
from te_schedules.cpu.vector_code import prim_func
from tests.te_schedules.cpu.int8.instruction_samples import pruned_weight, usable
from tests.te_schedules.cpu.int8.int8_reference import int8_layer
from tests.te_schedules.cpu.int8.tile_samples import run_part, tile_conv2d
from tests.te_schedules.cpu.lane_kernels import compiled
from tvm_patdnn.machine.cpu_model import CpuModel
from tvm_patdnn.machine.targets import resolve_target

DOT = re.compile(r"vpdpwssd|vpmaddwd|smlal")
SPILL = re.compile(r"[yz]mm\d+.*\(%rsp|\(%rsp\).*[yz]mm|[vq]\d+, \[sp")
X86 = "llvm -mtriple=x86_64-linux-gnu -mcpu="
TARGETS = (
    f"{X86}znver4",
    f"{X86}cascadelake",
    f"{X86}alderlake",
    f"{X86}haswell",
    "raspberry-pi-4",
)


@pytest.mark.parametrize("name", ["plain", "avx2"])
@pytest.mark.parametrize("together", [1, 3])
def test_sums_of_products_are_exact_modulo_2_to_the_32(name, together):
    if name not in usable():
        pytest.skip(f"this CPU has no {name}")
    weight = pruned_weight(6, 41, 3, 3, keep=1.0)
    weight[4] = 127
    layer = int8_layer(weight, (1, 41, 9, 22), padding=(1, 1, 1, 1))
    kernel = tile_conv2d(layer, name, together=together, rows=1 if name == "plain" else 3)
    words, depth = kernel.words, kernel.words.depth
    tiles = kernel.vectors * words.lanes
    rng = np.random.default_rng(0)
    values = rng.integers(-25500, 25501, (kernel.places, kernel.pairs, tiles, depth))
    values[:, :, 0] = 25500
    stored = np.zeros((kernel.places, kernel.place_words), np.int16)
    stored[:, : kernel.pairs * tiles * depth] = values.reshape(kernel.places, -1)
    packed = kernel.constants["weight"]

    def body(inputs, weight, sums) -> None:
        multiply(kernel, inputs, weight, sums, 1, 1)  # the second of two groups

    made = np.zeros((kernel.places, kernel.place_sums), np.int32)
    found = run_part(body, [stored, packed], made)[:, : 3 * tiles].reshape(-1, 3, tiles)
    of_group = np.ascontiguousarray(packed[:, 1]).view(np.int16).reshape(-1, kernel.pairs, 3, depth)
    exact = np.einsum("pctd,pcfd->pft", values, of_group.astype(int))
    assert np.abs(exact).max() > 2**32
    np.testing.assert_array_equal(found, exact.astype(np.uint64).astype(np.uint32).view(np.int32))


@pytest.mark.parametrize("target", TARGETS)
def test_what_is_chosen_keeps_its_sums_in_registers(target):
    resolved = resolve_target(target)
    layer = int8_layer(pruned_weight(64, 64, 3, 3), (1, 64, 28, 28), padding=(1, 1, 1, 1))
    kernel = choose_tiles(layer, CpuModel.from_target(resolved))

    def body(inputs, weight, sums) -> None:
        multiply(kernel, inputs, weight, sums, 0, kernel.groups)

    sizes = kernel.places * kernel.place_words, kernel.constants["weight"].size
    params = [("inputs", sizes[:1], "int16"), ("weight", sizes[1:], kernel.words.stored)]
    params += [("sums", (kernel.places * kernel.place_sums,), "int32")]
    lines = compiled(prim_func(params, body), resolved).mod.inspect_source("asm").splitlines()
    dots = [i for i, line in enumerate(lines) if DOT.search(line)]
    assert len(dots) >= kernel.schedule.group * kernel.schedule.together
    assert [line for line in lines[dots[0] : dots[-1]] if SPILL.search(line)] == []
