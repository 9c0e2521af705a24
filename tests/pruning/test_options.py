import dataclasses

import pytest

from tvm_patdnn.errors import PruningError
from tvm_patdnn.pruning import PruneOptions
from tvm_patdnn.sparse.patterns import Pattern

CORNER = Pattern.from_picture("##/..")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patterns": 0}, "patterns=0: a pattern set needs at least 1 pattern"),
        ({"patterns": []}, "expected a number of patterns to mine, 'all', or a sequence of Patt"),
        ({"patterns": ["##/.."]}, "expected a number of patterns to mine, 'all', or a sequence"),
        ({"patterns": "most"}, "patterns='most': expected a number of patterns to mine, 'all', or"),
        ({"patterns": "all", "entries": 10}, "entries=10: a pattern keeps 1 to 9 entries"),
        ({"entries": 10}, "entries=10: a pattern keeps 1 to 9 entries"),
        ({"entries": 0}, "entries=0: a pattern keeps 1 to 9 entries"),
        ({"connectivity": 0.5}, "connectivity=0.5 is not a rate"),
        ({"connectivity": float("nan")}, "connectivity=nan is not a rate"),
        ({"connectivity_1x1": float("inf")}, "connectivity_1x1=inf is not a rate"),
        ({"per_layer": {"conv": 0}}, r"per_layer\['conv'\]=0 is not a rate"),
        ({"connectivity_scope": "model"}, "'model' is unknown; choose one of layer, global, bal"),
        ({"filter_block": 0}, "filter_block=0: expected at least 1 filter"),
        ({"filter_grouping": "alike"}, "'alike' is unknown; choose one of neighbours, similar"),
        ({"skip_layers": "conv1"}, "skip_layers='conv1' is one string; give a list"),
    ],
)
def test_wrong_values_are_declined(options, message):
    with pytest.raises(PruningError, match=message):
        PruneOptions(**options)


def test_options_cannot_be_changed():
    with pytest.raises(dataclasses.FrozenInstanceError):
        PruneOptions().patterns = 6


def test_what_follows_from_the_options():
    assert PruneOptions().pattern_set is None
    assert PruneOptions().pattern_sizes == {(3, 3)}
    assert PruneOptions().rate_1x1 == 3.6
    assert PruneOptions(patterns="all").pattern_set is None
    assert PruneOptions(patterns="all").pattern_sizes == {(3, 3)}
    given = PruneOptions(patterns=[CORNER], connectivity_1x1=2.0)
    assert given.pattern_set == (CORNER,)
    assert given.pattern_sizes == {(2, 2)}
    assert given.rate_1x1 == 2.0
