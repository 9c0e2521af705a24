"""Logs of tuning records: what is read, what is wrong with a bad one, and how they grow."""

from __future__ import annotations

import json
import logging
import multiprocessing
import os
import signal
import time

import numpy as np
import pytest

import tvm_patdnn
from relay_passes.pipeline import plan_pipeline
from te_schedules.cpu.conv2d_configuration import VERSION
from te_schedules.cpu.conv2d_schedule import Hold, Outer
from tests.onnx_models import conv_model
from tests.records.samples import key_of, record
from tvm_patdnn.compilation import Compilation, Request
from tvm_patdnn.errors import TuningError
from tvm_patdnn.records.log_files import VARIABLE, log_files
from tvm_patdnn.records.record_files import append_records, read_log, read_records
from tvm_patdnn.records.tuning_records import record_line


def test_the_records_of_the_cpu_are_read(tmp_path):
    slow, fast, other = record(2.0), record(1.0), record(0.5, key_of(cpu="b"))
    log = tmp_path / "some" / "log.jsonl"
    append_records(log, [slow, fast])
    with log.open("a") as file:
        file.write("\n" + record_line(other) + "\n\n")
    for logs in (tmp_path, log):
        assert read_records("a", logs).trials(key_of()) == [slow, fast]
    assert not read_records("c", log)


def test_lines_of_other_cpus_are_not_looked_at(tmp_path, caplog):
    old = record_line(record(1.0, key_of(cpu="b"), version=99))
    broken = record_line(record(1.0, key_of(cpu="b"))).replace('"seconds"', '"wrong"')
    log = tmp_path / "log.jsonl"
    log.write_text(f"{old}\n{broken}\n{record_line(record(2.0))}\n")
    assert read_records("a", log).trials(key_of()) == [record(2.0)]
    assert caplog.messages == []
    with pytest.raises(TuningError, match="log.jsonl:2: is not a tuning record"):
        read_records("b", log)


def test_all_shipped_records_fit_this_version(caplog, monkeypatch):
    monkeypatch.delenv(VARIABLE)
    list(read_log())
    assert caplog.messages == []


def test_shipped_records_are_few_enough_to_be_read_in_no_time(monkeypatch):
    monkeypatch.delenv(VARIABLE)
    shipped = [file for file in log_files() if file.is_file()]
    assert sum(file.stat().st_size for file in shipped) < 3_000_000
    assert all(file.stat().st_size < 400_000 for file in shipped)


def test_the_environment_says_what_is_read_by_default(tmp_path, monkeypatch):
    log = tmp_path / "log.jsonl"
    append_records(log, [record(1.0)])
    assert list(read_log()) == []  # as tests have it
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    assert list(read_log()) == [record(1.0)]
    monkeypatch.setenv(VARIABLE, str(tmp_path / "none"))
    assert list(read_log(log)) == [record(1.0)]
    assert list(read_log("")) == []
    with pytest.raises(TuningError, match="none: no such file or folder"):
        list(read_log())


def test_a_missing_log_is_named(tmp_path):
    with pytest.raises(TuningError, match="no such file or folder"):
        read_records("a", tmp_path / "none.jsonl")


@pytest.mark.parametrize("line", ["{", "[]", '{"format": 99}', '{"format": 4, "version": 1}'])
def test_a_line_of_something_else_is_named_with_its_number(tmp_path, line):
    log = tmp_path / "log.jsonl"
    log.write_text(record_line(record(1.0)) + "\n" + line + "\n")
    with pytest.raises(TuningError, match=r"log.jsonl:2: is not a tuning record of format 4"):
        read_records("a", log)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 100_000])
def test_files_of_something_else_are_named(tmp_path, content):
    log = tmp_path / "log.jsonl"
    log.write_bytes(content)
    with pytest.raises(TuningError, match="log.jsonl(: cannot be read|:1: is not a tuning record)"):
        read_records("a", log)


def test_records_of_another_version_are_ignored_with_one_warning(tmp_path, caplog):
    log = tmp_path / "log.jsonl"
    append_records(log, [record(1.0, version=99), record(2.0, version=99), record(3.0)])
    with caplog.at_level(logging.WARNING):
        assert read_records("a", log).trials(key_of()) == [record(3.0)]
    (message,) = caplog.messages
    assert message.startswith("2 tuning records are of version 99 of the kernels 'cpu conv2d")
    assert message.endswith(f"this is {VERSION}: they are ignored; tune again")


def test_a_line_whose_writer_was_killed_is_skipped_and_then_cut_off(tmp_path):
    log = tmp_path / "log.jsonl"
    line = record_line(record(1.0))
    log.write_text(f"{line}\n{line[:40]}")
    assert read_records("a", log).trials(key_of()) == [record(1.0)]
    append_records(log, [record(2.0)])
    assert log.read_text() == f"{line}\n{record_line(record(2.0))}\n"


def test_a_file_with_nothing_but_an_unfinished_line(tmp_path):
    log = tmp_path / "log.jsonl"
    log.write_text(record_line(record(1.0)))
    append_records(log, [record(2.0)])
    assert log.read_text() == record_line(record(2.0)) + "\n"


def test_lines_are_whole_though_writers_are_killed(tmp_path):
    log = tmp_path / "log.jsonl"
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=append_for_ever, args=(log,)) for _ in range(2)]
    for writer in writers:
        writer.start()
    while not log.exists() or log.stat().st_size < 50_000:
        time.sleep(0.01)
    for writer in writers:
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
    read = read_records("a", log).trials(key_of())
    assert len(read) >= log.read_text().count("\n") > 50
    append_records(log, [record(7.0)])
    assert read_records("a", log).trials(key_of())[-1] == record(7.0)


def append_for_ever(log) -> None:
    while True:
        append_records(log, [record(1.0)])


def test_a_log_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "folder").write_text("")
    with pytest.raises(TuningError, match="cannot be written: .*; give --log another one"):
        append_records(tmp_path / "folder" / "log.jsonl", [record(1.0)])


def test_build_computes_a_layer_as_its_record_says(tmp_path):
    model = conv_model()
    compilation = Compilation.of(Request(onnx_model=model), lambda phase: None)
    with compilation.target:
        (planned,) = plan_pipeline(compilation.model.module, compilation.options).convolutions
    log = tmp_path / "log.jsonl"
    schedule = {"group": 2, "hold": Hold.INPUTS, "outer": Outer.ROW}
    append_records(log, [record(1.0, planned.key, schedule=schedule)])
    library = tvm_patdnn.build(model, logs=log)
    assert library.report[0].schedule == {
        "rows": 1,
        "vectors": 1,
        "group": 2,
        "hold": "inputs",
        "outer": "row",
        "chunks": 1,
        "band": None,
        "copy_inputs": False,
        "taps": "code",
    }
    assert library.report[0].reason == "nothing was pruned; scheduled as measured"
    name, (shape, dtype) = next(iter(library.metadata.inputs.items()))
    data = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    plain = tvm_patdnn.build(model)
    for output, expected in plain.run({name: data}).items():
        np.testing.assert_allclose(library.run({name: data})[output], expected, atol=1e-5)


def test_lines_are_json(tmp_path):
    append_records(tmp_path / "log.jsonl", [record(1.0)])
    assert json.loads((tmp_path / "log.jsonl").read_text())["seconds"] == 1.0
