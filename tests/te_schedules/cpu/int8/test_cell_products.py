from te_schedules.cpu.int8.cell_products import CellProducts
from te_schedules.cpu.int8.choose_strips import products_of
from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from tests.te_schedules.cpu.int8.instruction_samples import pruned_weight, sample_layer
from tests.te_schedules.cpu.int8.int8_reference import int8_layer


def products(keep: float) -> CellProducts:
    layer = sample_layer("3x3", keep=keep)
    found = products_of(layer, INSTRUCTION_SETS["dotprod"], 2)
    return next(each for each in found if isinstance(each, CellProducts))


def test_dense_layers_store_one_list_for_all_filters():
    made = products(1.0)
    assert made.quads.entries == 4 * 18
    assert made.constants["start"].size == 18


def test_what_is_stored_twice_is_listed_behind_what_all_filters_share():
    layer = sample_layer("3x3", keep=1.0)
    found = products_of(layer, INSTRUCTION_SETS["avx2"], 2)
    made = next(each for each in found if isinstance(each, CellProducts))
    more = made.quads.entries - 4 * 18
    assert 0 < more < 4 * 18
    start = made.constants["start"]
    assert start.size == 18 + more
    assert set(start[18:]) <= set(start[:18])


def test_pruned_layers_store_a_list_for_each_group():
    made = products(0.05)
    assert made.constants["start"].size == made.quads.entries


def test_other_strips_have_other_places():
    made = products(1.0)
    other = made.with_rows(5)
    assert other.constants["start"].max() > made.constants["start"].max()


def test_entries_that_are_coupled_are_listed_for_each_group():
    layer = int8_layer(pruned_weight(4, 8, 3, 3, keep=1.0) // 2, (1, 8, 9, 9))
    plain, coupled = products_of(layer, INSTRUCTION_SETS["avx2"], 2)
    assert coupled.quads.coupled is not None
    assert coupled.constants["start"].size == coupled.quads.entries
    assert coupled.registers == plain.registers + 2 + 2
    assert coupled.name == f"{plain.name}, widened in couples"


def test_short_lists_that_are_alike_are_repeated_as_code():
    layer = sample_layer("depthwise", keep=1.0)
    (made,) = [
        each
        for each in products_of(layer, INSTRUCTION_SETS["dotprod"], 1)
        if isinstance(each, CellProducts)
    ]
    assert made.unrolled == 3
    assert made.constants["start"].tolist() == [made.strip.start_of(row) for row in range(3)]
    assert products(1.0).unrolled == 0  # too many
    assert products(0.05).unrolled == 0  # not alike
