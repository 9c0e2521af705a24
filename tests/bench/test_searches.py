import math

import pytest

from tests.tuning.spaces import POINTS
from tvm_patdnn.bench.sample_layers import SampleLayer
from tvm_patdnn.bench.searches import LAYERS, best_so_far, race, rank_correlation
from tvm_patdnn.tuning.history import History


def test_the_best_so_far():
    history = History()
    for point, seconds in zip(POINTS, (None, 3.0, 4.0, 1.0, 2.0), strict=False):
        history.add(point, seconds)
    assert best_so_far(history) == [3.0, 3.0, 1.0, 1.0]
    assert best_so_far(History()) == []


def test_rank_correlation():
    assert rank_correlation([1, 2, 3], [10, 200, 3000]) == pytest.approx(1)
    assert rank_correlation([1, 2, 3], [3, 2, 1]) == pytest.approx(-1)


def test_the_layers():
    names = ["64->64@56x56", "256->256@56x56", "512->512@14x14", "1x1 1024->256@14x14"]
    assert [str(layer) for layer in LAYERS] == names


def test_a_small_race(tmp_path):
    pytest.importorskip("xgboost")
    layers = [SampleLayer(in_c=8, out_c=8, side=9, kernel=kernel) for kernel in (3, 1)]
    options = {"target": "native -num-cores=1", "turns": 2}
    rows = list(race(layers, tmp_path, (4, 8), **options))
    assert [row.layer for row in rows] == ["8->8@9x9", "1x1 8->8@9x9"]
    for row in rows:
        assert min(row.genetic_s, row.random_s, row.default_s) > 0
        assert len(row.random_course) <= 8
        assert row.correlation is None or math.isfinite(row.correlation)
