import math
from dataclasses import replace

import pytest

from te_schedules.cost_feature import COST
from te_schedules.cpu.int8.winograd_features import tile_features
from tests.relay_passes.relax_modules import CPU
from tests.te_schedules.cpu.int8.instruction_samples import sample_layer
from tests.te_schedules.cpu.int8.test_strip_features import features as strip_features
from tests.te_schedules.cpu.int8.tile_samples import tile_conv2d


def features(cpu=CPU, **schedule: int) -> dict[str, float]:
    return tile_features(tile_conv2d(sample_layer("3x3"), **schedule), cpu)


@pytest.mark.parametrize(
    "changes",
    [{"height": 2}, {"width": 2}, {"rows": 3}, {"group": 2}, {"together": 1}, {"chunks": 2}],
)
def test_every_choice_shows(changes):
    assert features(**changes) != features()


def test_the_cpu_shows():
    for name in ("l1_bytes", "l2_bytes", "num_cores"):
        assert features(replace(CPU, **{name: getattr(CPU, name) * 2})) != features()


def test_all_are_numbers_that_records_take_by_names_that_strips_have():
    found = features()
    assert all(math.isfinite(value) and value >= 0 for value in found.values())
    assert found[COST] > 5
    assert set(found) - set(strip_features()) == {"transforms"}
