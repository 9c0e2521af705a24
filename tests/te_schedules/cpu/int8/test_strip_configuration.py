import pytest
from hypothesis import given
from hypothesis import strategies as st

from te_schedules.cpu.int8.choose_strips import products_of
from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.strip_configuration import StripConfiguration, products_name
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from tests.te_schedules.cpu.int8.instruction_samples import pruned_weight, sample_layer
from tests.te_schedules.cpu.int8.int8_reference import int8_layer

COUNTS = st.integers(1, 99)
ONE = StripConfiguration(sparse=True, products="cells", group=2, rows=7, tile=3, chunks=4)


@given(
    st.builds(
        StripConfiguration,
        sparse=st.booleans(),
        products=st.sampled_from(["taps", "cells", "patches of 2x2"]),
        group=COUNTS,
        rows=COUNTS,
        tile=COUNTS,
        chunks=COUNTS,
    )
)
def test_json_gives_it_back(configuration):
    assert StripConfiguration.from_json(configuration.to_json()) == configuration


def test_a_text_for_people():
    assert str(ONE) == "sparse, cells, group 2, strips of 7 rows, tile 3, chunks 4"


@pytest.mark.parametrize(
    "wrong", [{"sparse": 1}, {"products": None}, {"rows": 0}, {"tile": 2.0}, {"chunks": 1 << 20}]
)
def test_other_values_are_refused(wrong):
    (name,) = wrong
    with pytest.raises(ValueError, match=f"{name} is .*, expected a"):
        StripConfiguration.from_json({**ONE.to_json(), **wrong})
    with pytest.raises(TypeError):
        StripConfiguration.from_json({**ONE.to_json(), "more": 1})


def test_every_way_to_multiply_has_its_own_name():
    layer = sample_layer("3x3")
    ways = list(products_of(layer, INSTRUCTION_SETS["avx512-vbmi"], 2))
    names = [products_name(each) for each in ways]
    assert len(set(names)) == len(ways) == 7
    assert {"taps", "cells", "patches of 4x8"} < set(names)
    full = int8_layer(pruned_weight(4, 8, 3, 3, keep=1.0), (1, 8, 9, 9))
    found = [products_name(each) for each in products_of(full, INSTRUCTION_SETS["avx2"], 2)]
    assert found == ["cells", "coupled cells"]
    kernel = StripConv2d(products=ways[0].with_rows(5), tile=2, chunks=3)
    found = StripConfiguration.of(kernel, sparse=False)
    assert found == StripConfiguration(
        sparse=False, products="taps", group=2, rows=5, tile=2, chunks=3
    )
