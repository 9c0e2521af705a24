import numpy as np
import pytest

from te_schedules.cost_feature import COST, cost_feature
from tests.records.samples import key_of, record
from tests.tuning.spaces import POINTS, SPACE, seconds_of, trial
from tvm_patdnn.errors import TuningError
from tvm_patdnn.tuning import ranking_model
from tvm_patdnn.tuning.ranking_model import check_xgboost, learned_score


@pytest.fixture(autouse=True)
def _needs_xgboost():
    pytest.importorskip("xgboost")


def rank_correlation(scores, seconds) -> float:
    ranks = [np.argsort(np.argsort(values)) for values in (scores, -np.asarray(seconds))]
    return float(np.corrcoef(*ranks)[0, 1])


def test_it_ranks_what_it_has_not_seen():
    learned = learned_score(trial(each, noise=0.1) for each in POINTS[::7])
    others = POINTS[3::7]
    scores = learned([SPACE.describe(each) for each in others])
    assert rank_correlation(scores, list(map(seconds_of, others))) > 0.8


def test_a_slower_layer_teaches_it_as_well():
    slow = key_of(workload="in 9 kernel 1")
    records = [trial(each, slow) for each in POINTS[::11]] + [trial(each) for each in POINTS[::13]]
    records = [
        type(r)(**{**vars(r), "seconds": r.seconds * 1000}) if r.key == slow else r for r in records
    ]
    others = POINTS[3::7]
    scores = learned_score(records)([SPACE.describe(each) for each in others])
    assert rank_correlation(scores, list(map(seconds_of, others))) > 0.8


def test_the_same_seed_learns_the_same():
    records = [trial(each) for each in POINTS[::9]]
    features = [SPACE.describe(each) for each in POINTS[:50]]
    first, second = (learned_score(records, seed=1)(features) for _ in range(2))
    assert (first == second).all()


def test_failures_are_ranked_last():
    failing = [record(None, features={"a": 1.0}, schedule={"rows": n}) for n in range(1, 21)]
    good = [record(1.0, features={"a": 0.0}, schedule={"vectors": n}) for n in range(2, 22)]
    bad, fine = learned_score([*failing, *good])([{"a": 1.0}, {"a": 0.0}])
    assert bad < fine


@pytest.mark.parametrize("count", [0, 5])
def test_of_too_few_it_is_what_the_cost_model_expects(count):
    scores = learned_score(trial(each) for each in POINTS[:count])
    low, high, none = scores([{COST: 1.0}, {COST: 2.0}, {}])
    assert high < low < none
    without_features = (record(1.0, schedule={"rows": n}) for n in range(1, 40))
    assert learned_score(without_features)([{"rows": 1.0}]) == [0.0]


def test_a_layer_unlike_all_that_were_measured_is_ranked_as_the_cost_model_expects():
    rng = np.random.default_rng(0)

    def expected(each) -> float:
        return cost_feature(1e6 * seconds_of(each) * rng.uniform(0.9, 1.1))

    records = [
        type(r)(**{**vars(r), "features": {**r.features, COST: expected(r.configuration)}})
        for r in (trial(each) for each in POINTS[::7])
    ]
    others = list(rng.permutation(np.array(POINTS[3::7], object)))
    unlike = dict.fromkeys(SPACE.describe(POINTS[0]), 40.0)
    scores = learned_score(records)([{**unlike, COST: expected(each)} for each in others])
    assert rank_correlation(scores, list(map(seconds_of, others))) > 0.9


def test_what_was_written_without_an_expected_cost_is_not_learned_beside_what_has_one():
    own = [
        record(1e-3 * n, features={"rows": float(n), COST: cost_feature(n)}, schedule={"rows": n})
        for n in range(1, 41)
    ]
    others = [record(1.0, features={"vectors": 1.0}, schedule={"vectors": n}) for n in range(2, 42)]
    features = [r.features for r in own]
    assert (learned_score([*own, *others])(features) == learned_score(own)(features)).all()
    assert learned_score(others)([{"vectors": 1.0}]).shape == (1,)


def test_that_it_is_missing_is_told(monkeypatch):
    monkeypatch.setattr(ranking_model, "find_spec", lambda name: None)
    with pytest.raises(TuningError, match=r"pip install 'tvm-patdnn\[tune\]', or choose --search"):
        check_xgboost()
