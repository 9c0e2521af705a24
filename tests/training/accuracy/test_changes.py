import pytest

from tests.training.samples import dense, row
from tvm_patdnn.training.accuracy.changes import find_changes
from tvm_patdnn.training.accuracy.groups import find_groups


def found(*rows):
    """The changes, with the mean of their differences."""
    changes = find_changes(find_groups(rows))
    return {(c.what, c.where): round(sum(c.points) / len(c.points), 6) for c in changes}


@pytest.mark.parametrize(
    ("change", "what"),
    [
        ({"filter_block": 4}, "blocks of 4 filters"),
        ({"filter_block": 2, "filter_grouping": "similar"}, "blocks of 2 similar filters"),
        ({"patterns": 56}, "56 patterns"),
        ({"patterns": 6}, "6 patterns"),
        ({"scope": "balanced"}, "balanced connectivity"),
        ({"scope": "global"}, "global connectivity"),
        ({"rates": {"a": 2.0}}, "rates by layer"),
        ({"rewind": 2}, "retrained from epoch 2"),
        ({"rewind": "fresh"}, "retrained from fresh weights"),
        ({"distill": 0.9, "teacher": "big of 9 epochs"}, "teacher big of 9 epochs"),
        ({"distill": 0.9}, "teacher that is its own dense network"),
    ],
)
def test_each_change(change, what):
    assert found(row(), row(**change, top1_pruned=89.0)) == {(what, "ADMM, 3.6x"): -0.5}


def test_similar_filters_against_neighbours_and_against_free_kernels():
    neighbours = row(filter_block=4, top1_pruned=88.0)
    similar = row(filter_block=4, filter_grouping="similar", top1_pruned=89.0)
    changes = found(row(), neighbours, similar)
    assert changes["blocks of 4 similar filters", "ADMM, 3.6x"] == -0.5
    both = ("blocks of 4 similar filters instead of neighbours", "ADMM, blocks of 4 filters, 3.6x")
    assert changes[both] == 1.0


def test_a_teacher_in_the_pruning_phase():
    taught = row(distill=0.9)
    both = row(distill=0.9, settings={"distill_pruning": True}, top1_pruned=89.9)
    change = ("the teacher in the pruning phase, too", "ADMM with distillation, 3.6x")
    assert found(taught, both) == {change: 0.4}
    assert found(row(), both) == {}


def test_what_a_teacher_is_worth_to_a_dense_network():
    changes = found(dense(), dense(distill=0.9, teacher="big of 9 epochs", top1_pruned=91.4))
    assert changes == {("teacher big of 9 epochs", "dense, trained on"): 1.0}


def test_two_changes_at_once_and_other_settings_are_not_compared():
    assert found(row(), row(filter_block=4, distill=0.9)) == {}
    assert found(row(), row(filter_block=4, settings={"rho": 0.1})) == {}
    assert found(row(), row(filter_block=4, connectivity=1.0)) == {}


def test_only_pairs_of_one_seed_and_machine_count():
    rows = [row(), row(seed=1), row(seed=2, filter_block=4)]
    assert found(*rows) == {}
    rows += [row(seed=1, filter_block=4, top1_pruned=90.5), row(filter_block=4, device="another")]
    assert found(*rows) == {("blocks of 4 filters", "ADMM, 3.6x"): 1.0}
