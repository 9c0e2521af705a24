import sys

import pytest

from tvm_patdnn.bench.dense_tuning import search
from tvm_patdnn.bench.dense_tuning.search import SearchOptions, check_packages
from tvm_patdnn.bench.dense_tuning.space import without_intrinsics
from tvm_patdnn.errors import TuningError


@pytest.mark.parametrize("name", ["trials", "round_trials", "population", "workers"])
def test_there_is_at_least_one_of_each(name):
    with pytest.raises(TuningError, match=f"{name}: got 0, expected at least 1"):
        SearchOptions(**{name: 0})


def test_missing_packages_are_named(monkeypatch):
    monkeypatch.setattr(search, "find_spec", lambda name: None if name != "psutil" else object())
    with pytest.raises(TuningError, match="tuning needs cloudpickle, xgboost, which is not"):
        check_packages(SearchOptions())
    with pytest.raises(TuningError, match="tuning needs cloudpickle, which is not installed"):
        check_packages(SearchOptions(cost_model="random"))


def test_complete_packages_are_fine(monkeypatch):
    monkeypatch.setattr(search, "find_spec", lambda name: object())
    check_packages(SearchOptions())


def test_the_intrinsics_are_left_out_for_a_while(monkeypatch):
    name = "tvm.s_tir.tensor_intrin"
    monkeypatch.delitem(sys.modules, name, raising=False)
    with without_intrinsics():
        assert vars(sys.modules[name]).get("__file__") is None
    assert name not in sys.modules
    real = object()
    monkeypatch.setitem(sys.modules, name, real)
    with without_intrinsics():
        assert sys.modules[name] is real
    assert sys.modules[name] is real
