import pytest

from tests.training.samples import dense, row
from tvm_patdnn.errors import BuildError, TrainingError
from tvm_patdnn.training.accuracy.latencies import (
    Latencies,
    by_structure,
    read_latencies,
    structure,
    write_latencies,
)

FOUND = Latencies(
    milliseconds={structure(row()): 0.5},
    device="a CPU",
    threads=1,
    date="2026-11-25T10:00:00+00:00",
    versions={"tvm-patdnn": "0.1.0"},
)


def test_round_trip(tmp_path):
    write_latencies(FOUND, tmp_path / "l.json")
    found = read_latencies(tmp_path / "l.json")
    assert found.of(row()) == 0.5
    assert found.of(dense()) is None
    assert found.text == FOUND.text
    assert "1 thread, 2026-11-25" in found.text


def test_training_does_not_change_the_structure():
    same = (
        *({"seed": 1}, {"distill": 0.9}, {"rewind": 0}, {"settings": {"rho": 1.0}}),
        *({"method": "oneshot"}, {"device": "another"}),
    )
    assert {structure(row(**change)) for change in same} == {structure(row())}
    others = (
        *({"connectivity": 1.0}, {"filter_block": 4}, {"patterns": 56}, {"scope": "balanced"}),
        *({"method": "filter"}, {"method": "unstructured"}, {"network": "a:b"}, {"data": "b"}),
    )
    assert len({structure(row(**change)) for change in others} | {structure(row())}) == 9


def test_one_row_of_each_structure():
    rows = [row(), row(seed=1), dense(), row(data="others")]
    assert list(by_structure(rows, "CIFAR-10 (JPEG)").values()) == [dense_of(rows), rows[0]]


def dense_of(rows):
    return next(row for row in rows if row.method == "dense")


@pytest.mark.parametrize("stored", [None, "", "[1]", "{}", '{"milliseconds": 1}'])
def test_files_that_are_none(tmp_path, stored):
    if stored is not None:
        (tmp_path / "l.json").write_text(stored)
    with pytest.raises(TrainingError, match="l.json: cannot be read: .*that `tvm-patdnn train --t"):
        read_latencies(tmp_path / "l.json")


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(BuildError, match="cannot be written"):
        write_latencies(FOUND, tmp_path / "no" / "l.json")
