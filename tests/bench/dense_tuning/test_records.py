import json

import pytest

from tests.bench.dense_tuning.samples import conv_shape, dense_record
from tvm_patdnn.bench.dense_tuning.records import (
    read_dense_records,
    record_path,
    shipped_folder,
    write_record,
)
from tvm_patdnn.errors import TuningError


def test_records_are_read_as_they_were_written(tmp_path):
    records = [
        dense_record(trace=[[["GetSBlock", [], ["a", "main"], ["b0"]]], [[1, [2, 4]]]]),
        dense_record(threads=1, trace=None, tuned_s=None),
        dense_record(shape=conv_shape(stride=(2, 2))),
        dense_record(shape=conv_shape(padding=(0, 0, 0, 0))),
        dense_record(cpu="other"),
    ]
    paths = [write_record(tmp_path, record) for record in records]
    assert len(set(paths)) == len(records)
    read = read_dense_records(tmp_path)
    assert len(read) == len(records)
    assert all(record in read for record in records)


def test_a_record_replaces_the_one_before(tmp_path):
    write_record(tmp_path, dense_record(trials=8))
    path = write_record(tmp_path, dense_record(trials=64))
    assert path == record_path(tmp_path, dense_record().cpu, 2, conv_shape())
    assert [record.trials for record in read_dense_records(tmp_path)] == [64]


def test_there_may_be_no_records(tmp_path):
    assert read_dense_records(tmp_path / "none") == []


def test_the_shipped_records_can_be_read():
    assert shipped_folder().parent.name == "autotune_logs"
    assert all(record.ours_s > 0 for record in read_dense_records(shipped_folder()))


@pytest.mark.parametrize(
    "change", [{"format": 2}, {"cpu": None, "more": 1}, {"shape": {"groups": 1}}, {"shape": 3}]
)
def test_what_is_no_record_is_named(tmp_path, change):
    path = write_record(tmp_path, dense_record())
    path.write_text(json.dumps({**json.loads(path.read_text()), **change}))
    with pytest.raises(
        TuningError, match=r"\.json: is not a record of a dense convolution"
    ) as raised:
        read_dense_records(tmp_path)
    assert "tune again with this version, or remove the file" in str(raised.value)


def test_half_a_file_is_named(tmp_path):
    path = write_record(tmp_path, dense_record())
    path.write_text(path.read_text()[:100])
    with pytest.raises(TuningError, match="is not a record of a dense convolution of format 1"):
        read_dense_records(tmp_path)
