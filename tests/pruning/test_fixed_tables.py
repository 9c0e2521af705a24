import numpy as np
import pytest

from tests.pruning.test_one_shot import chain, conv, make_model, rows_by_name, weight
from tvm_patdnn.pruning.fixed_tables import is_fixed_table

INTEGRAL = np.arange(16, dtype=np.float32).reshape(1, 16, 1, 1)


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
@pytest.mark.parametrize(
    "table",
    [
        INTEGRAL,
        np.full((3, 3, 3, 3), 1 / 9),
        np.eye(3).reshape(3, 3, 1, 1) / 0.229,
        np.array([[1, 1], [1, -1]]).reshape(2, 2, 1, 1) * 0.5**0.5,
        np.array([[-1, 0, 1], [-2, 0, 2], [-1, 0, 1]]).reshape(1, 1, 3, 3),
    ],
)
def test_tables(table, dtype):
    assert is_fixed_table(table.astype(dtype))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
def test_what_was_learned_is_no_table(dtype):
    learned = weight(0, 8, 16, 3, 3, dtype=dtype)
    assert not is_fixed_table(learned)
    assert not is_fixed_table(np.where(learned > 0, learned, 0))
    assert not is_fixed_table(np.zeros((8, 16, 3, 3), dtype))
    assert not is_fixed_table(np.ones((1, 1, 1, 1), dtype))
    assert not is_fixed_table(np.full((4, 4, 3, 3), np.inf, dtype))


def head():
    nodes = [
        conv("first", "x", "first.w"),
        conv("middle", "first.y", "middle.w"),
        conv("dfl", "middle.y", "dfl.w"),
    ]
    stored = {
        "first.w": weight(0, 8, 3, 3, 3),
        "middle.w": weight(1, 16, 8, 3, 3),
        "dfl.w": INTEGRAL,
    }
    return make_model(nodes, stored)


def test_a_table_is_left_alone_unless_it_is_named():
    rows = rows_by_name(head())
    assert rows["dfl"].reason == "a fixed table, not filters"
    assert rows["dfl"].kept_weights == 15
    assert rows["middle"].reason is None
    assert rows_by_name(head(), per_layer={"d*": 2.0})["dfl"].reason == rows["dfl"].reason
    assert rows_by_name(head(), per_layer={"dfl": 2.0})["dfl"].kept_weights == 8


def test_a_chain_of_learned_layers_has_no_table():
    assert not any("table" in (row.reason or "") for row in rows_by_name(chain()).values())
