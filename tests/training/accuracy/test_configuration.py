import pytest

from tests.training.samples import dense, row
from tvm_patdnn.training.accuracy.configuration import configuration, pair_key


@pytest.mark.parametrize(
    "change",
    [
        {"method": "gradual"},
        {"connectivity": 2.0},
        {"patterns": 56},
        {"scope": "global"},
        {"filter_block": 2},
        {"distill": 0.5},
        {"teacher": "big of 9 epochs"},
        {"rewind": 0},
        {"retrain_epochs": 5},
        {"rates": {"a": 2.0}},
        {"settings": {"rho": 0.1}},
        {"settings": {"distill_pruning": True}},
    ],
)
def test_what_makes_another_run(change):
    assert configuration(row(**change)) != configuration(row())


@pytest.mark.parametrize(
    "change",
    [
        {"seed": 3},
        {"device": "another"},
        {"date": "2027-01-01"},
        {"filter_grouping": "similar"},  # there are no blocks
        {"settings": {"precision": "bfloat16"}},
        {"settings": {"distill_pruning": False}},
    ],
)
def test_what_makes_the_same_run(change):
    assert configuration(row(**change)) == configuration(row(settings={"precision": "float32"}))


def test_what_does_not_matter_to_a_method():
    assert configuration(dense(filter_block=4, patterns=8, connectivity=2.0)) == (
        configuration(dense(settings={"rho": 1.0}))
    )
    filters = {"method": "filter", "scope": "balanced", "filter_block": 4}
    assert configuration(row(**filters)) == configuration(row(method="filter"))
    only = {"connectivity": 1.0}
    assert configuration(row(scope="global", **only)) == configuration(row(**only))
    blocks = {"filter_block": 4, "filter_grouping": "similar"}
    assert configuration(row(**blocks)) != configuration(row(filter_block=4))


def test_a_pair_is_of_one_seed_and_machine():
    assert pair_key(row()) == pair_key(dense())
    assert len({pair_key(r) for r in (row(), row(seed=1), row(device="another"))}) == 3
