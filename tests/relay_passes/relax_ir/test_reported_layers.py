import pytest

from relay_passes.relax_ir.reported_layers import (
    LAYERS_ATTRIBUTE,
    noted,
    reported_layers,
    with_layers,
    with_notes,
)
from tests.layer_reports import layer_report
from tests.relay_passes.relax_modules import Net


def test_a_module_keeps_its_rows():
    mod = Net((1, 2)).module(lambda x: x)
    rows = [layer_report(name="a"), layer_report(name="b")]
    new = with_layers(mod, rows)
    assert list(reported_layers(new)) == rows
    with pytest.raises(KeyError):
        mod.attrs[LAYERS_ATTRIBUTE]


def test_rows_are_added_to_those_of_other_passes():
    mod = Net((1, 2)).module(lambda x: x)
    assert list(reported_layers(mod)) == []
    rows = [layer_report(name="a"), layer_report(name="b", dtype="int8")]
    assert list(reported_layers(with_layers(with_layers(mod, rows[:1]), rows[1:]))) == rows


def test_notes_are_added_to_reasons():
    mod = with_notes(Net((1, 2)).module(lambda x: x), {"b": "in float32"})
    rows = [layer_report(name="a"), layer_report(name="b", reason="it is fast")]
    expected = [rows[0], layer_report(name="b", reason="it is fast; in float32")]
    assert noted(mod, rows) == expected
    assert list(reported_layers(with_layers(mod, rows))) == expected
