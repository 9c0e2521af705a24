import math
from dataclasses import replace

import pytest

from te_schedules.cost_feature import COST
from te_schedules.cpu.int8.choose_strips import products_of
from te_schedules.cpu.int8.instruction_sets import INSTRUCTION_SETS
from te_schedules.cpu.int8.strip_features import strip_features
from te_schedules.cpu.int8.strip_kernel import StripConv2d
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer

SET = INSTRUCTION_SETS["avx512-vbmi"]


def kernel(group: int = 1, way: int = 0, rows: int = 3, **options: int) -> StripConv2d:
    products = list(products_of(sample_layer("3x3"), SET, group))[way].with_rows(rows)
    return StripConv2d(products=products, **{"tile": 1, **options})


def features(*args: int, cpu=CPU, sparse: bool = True, **options: int) -> dict[str, float]:
    return strip_features(kernel(*args, **options), cpu, sparse=sparse)


@pytest.mark.parametrize(
    "changes",
    [{"group": 2}, {"way": 1}, {"way": 2}, {"rows": 5}, {"tile": 2}, {"chunks": 2}],
)
def test_every_choice_shows(changes):
    assert features(**changes) != features()


def test_the_cpu_shows():
    for name in ("l1_bytes", "l2_bytes", "num_cores"):
        assert features(cpu=replace(CPU, **{name: getattr(CPU, name) * 2})) != features()


def test_all_are_numbers_that_records_take():
    found = features()
    assert features(sparse=False) != found
    assert all(math.isfinite(value) and value >= 0 for value in found.values())
    assert found["in channels"] == round(math.log2(7), 4)
    assert found[COST] > 5
