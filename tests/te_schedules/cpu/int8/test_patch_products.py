import numpy as np

from te_schedules.cpu.int8.choose_strips import products_of
from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.patch_products import PatchProducts
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer


def products(instructions: str) -> list[PatchProducts]:
    found = products_of(sample_layer("3x3"), INSTRUCTION_SETS[instructions], 1)
    return [each for each in found if isinstance(each, PatchProducts)]


def test_a_permutation_of_each_pattern_and_vector():
    for name in ("avx2", "neon", "avx512-vbmi"):
        for made in products(name):
            instructions, shape = made.strip.instructions, made.strip.shape
            stored = made.constants["permutation"]
            table = stored.reshape(len(made.patterns), shape.vectors, instructions.bytes)
            for p, taps in enumerate(made.patterns):
                for lane in range(shape.outs):
                    for t, tap in enumerate(taps):
                        v, own = divmod(lane, instructions.lanes)
                        byte = table[p, v, instructions.order(own, t)]
                        assert byte == shape.byte(lane, divmod(tap, 3))


def test_an_entry_is_stored_as_channel_and_pattern():
    (made,) = products("avx2")
    channel, pattern = made.constants["channel"], made.constants["pattern"]
    assert (channel.dtype, pattern.dtype) == (np.uint8, np.uint8)
    assert channel.size == pattern.size == made.quads.entries


def test_other_patches_have_none():
    found = products_of(sample_layer("1x1"), INSTRUCTION_SETS["avx2"], 1)
    assert not any(isinstance(each, PatchProducts) for each in found)
