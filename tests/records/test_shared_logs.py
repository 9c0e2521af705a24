"""Logs that several runs use."""

from __future__ import annotations

import pytest
from filelock import FileLock

from tests.records.samples import record
from tvm_patdnn.errors import BuildError, TuningError
from tvm_patdnn.records.record_files import append_records, log_lock, read_log
from tvm_patdnn.records.shared_logs import alone_with, replace_records

SLOW, FAST = record(2.0), record(1.0)


def test_one_run_tunes_into_a_log_at_a_time(tmp_path):
    log = tmp_path / "some" / "log.jsonl"
    with alone_with(log):
        append_records(log, [SLOW])
        with alone_with(tmp_path / "some" / "other.jsonl"):
            pass
        said = f"{log}: another run is tuning into this log; wait until it ends, or give --log"
        with pytest.raises(TuningError, match=said), alone_with(log):
            pass
    with alone_with(log):
        assert list(read_log(log)) == [SLOW]


def test_a_run_that_failed_leaves_the_log_to_others(tmp_path):
    log = tmp_path / "log.jsonl"
    for _ in range(2):
        with pytest.raises(ZeroDivisionError), alone_with(log):
            raise ZeroDivisionError


def test_a_log_that_cannot_be_written_is_found_before_the_work(tmp_path):
    (tmp_path / "log.jsonl").mkdir()
    said = "log.jsonl: cannot be written: .*; give --log another one"
    with pytest.raises(TuningError, match=said), alone_with(tmp_path / "log.jsonl"):
        pass


def test_records_are_replaced_while_nothing_is_written(tmp_path):
    log = tmp_path / "log.jsonl"
    append_records(log, [SLOW, FAST])

    def fastest(records):
        with pytest.raises(TimeoutError):
            FileLock(log_lock(log).lock_file, timeout=0, is_singleton=False).acquire()
        return records[1:]

    assert replace_records(log, fastest) == (2, 1)
    assert list(read_log(log)) == [FAST]


def test_what_cannot_be_replaced(tmp_path):
    with pytest.raises(BuildError, match="it is a directory"):
        replace_records(tmp_path, list)
    with pytest.raises(TuningError, match="no such file or folder"):
        replace_records(tmp_path / "none" / "log.jsonl", list)
    assert not (tmp_path / "none").exists()
