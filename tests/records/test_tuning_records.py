"""Tuning records: the round trip, which one is used, and what is wrong with a bad log."""

from __future__ import annotations

import json

import numpy as np
import pytest

import tvm_patdnn
from te_schedules.cpu.conv2d_schedule import Conv2dSchedule, Hold, Outer
from tests.onnx_models import conv_model
from tvm_patdnn.errors import TuningError
from tvm_patdnn.machine.targets import resolve_target
from tvm_patdnn.records.tuning_records import Record, read_records, record_line


def record(seconds: float, **changes: object) -> Record:
    schedule = Conv2dSchedule(rows=1, vectors=1, group=2, hold=Hold.INPUTS, outer=Outer.ROW)
    values = {"cpu": "a", "workload": "w", "sparse": False, "schedule": schedule}
    return Record(seconds=seconds, **{**values, **changes})


def test_the_fastest_record_of_the_cpu_is_read(tmp_path):
    slow, fast, other = record(2.0), record(1.0, sparse=False), record(0.5, cpu="b")
    log = tmp_path / "some" / "log.jsonl"
    log.parent.mkdir()
    log.write_text("\n".join(map(record_line, (slow, fast, other))) + "\n\n")
    assert read_records("a", tmp_path) == {("w", False): fast}
    assert read_records("a", log) == {("w", False): fast}
    assert read_records("c", log) == {}


def test_the_shipped_records_can_be_read():
    assert isinstance(read_records("generic"), dict)


def test_a_missing_log_is_named(tmp_path):
    with pytest.raises(TuningError, match="no such file or folder"):
        read_records("a", tmp_path / "none.jsonl")


@pytest.mark.parametrize("line", ["{", "[]", '{"format": 99}', '{"format": 3, "schedule": {}}'])
def test_a_line_of_another_version_is_named_with_its_number(tmp_path, line):
    log = tmp_path / "log.jsonl"
    log.write_text(record_line(record(1.0)) + "\n" + line + "\n")
    with pytest.raises(TuningError, match=r"log.jsonl:2: is not a tuning record of format 3"):
        read_records("a", log)


@pytest.mark.parametrize(
    ("where", "value", "message"),
    [
        ("seconds", float("nan"), "seconds is nan, expected a positive number"),
        ("seconds", -1.0, "seconds is -1.0, expected a positive number"),
        ("seconds", "fast", "seconds is 'fast', expected a positive number"),
        ("cpu", 7, "cpu is 7, expected a str"),
        ("workload", ["w"], r"workload is .'w'., expected a str"),
        ("sparse", "yes", "sparse is 'yes', expected a bool"),
        ("schedule.rows", 0, "rows is 0, expected a whole number from 1 to 65536"),
        ("schedule.vectors", 10**9, "vectors is 1000000000, expected a whole number"),
        ("schedule.group", 1.5, "group is 1.5, expected a whole number"),
        ("schedule.chunks", True, "chunks is True, expected a whole number"),
        ("schedule.band", 0, "band is 0, expected a whole number"),
        ("schedule.hold", "everything", "'everything' is not a valid Hold"),
        ("schedule.speed", 9, "unexpected keyword argument 'speed'"),
    ],
)
def test_nonsense_is_named(tmp_path, where, value, message):
    values = json.loads(record_line(record(1.0)))
    *path, name = where.split(".")
    (values[path[0]] if path else values)[name] = value
    log = tmp_path / "log.jsonl"
    log.write_text(json.dumps(values))
    with pytest.raises(TuningError, match=f"log.jsonl:1: is not a tuning record .*{message}"):
        read_records("a", log)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"[" * 100_000])
def test_files_of_something_else_are_named(tmp_path, content):
    log = tmp_path / "log.jsonl"
    log.write_bytes(content)
    with pytest.raises(TuningError, match="log.jsonl(: cannot be read|:1: is not a tuning record)"):
        read_records("a", log)


def test_build_computes_a_layer_as_its_record_says(tmp_path):
    model = conv_model()
    workload = _workload(model)
    cpu = str(resolve_target(None).attrs["mcpu"])
    log = tmp_path / "log.jsonl"
    log.write_text(record_line(record(1.0, cpu=cpu, workload=workload)))
    library = tvm_patdnn.build(model, logs=log)
    assert library.report[0].schedule == {
        "rows": 1,
        "vectors": 1,
        "group": 2,
        "hold": "inputs",
        "outer": "row",
        "chunks": 1,
        "band": None,
        "taps": "code",
    }
    name, (shape, dtype) = next(iter(library.metadata.inputs.items()))
    data = np.random.default_rng(0).standard_normal(shape).astype(dtype)
    plain = tvm_patdnn.build(model)
    for output, expected in plain.run({name: data}).items():
        np.testing.assert_allclose(library.run({name: data})[output], expected, atol=1e-5)


def _workload(model) -> str:
    from relay_passes.lanes.analyze_convolutions import analyze_convolutions
    from relay_passes.pipeline import canonical_passes
    from tvm_patdnn.importing.importer import import_onnx

    mod = import_onnx(model).module
    for each in canonical_passes():
        mod = each(mod)
    return analyze_convolutions(mod)[0].workload
