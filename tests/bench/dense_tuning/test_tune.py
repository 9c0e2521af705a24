"""A tiny convolution from the search to a library that uses what was found."""

from dataclasses import replace

import numpy as np
import onnx
import pytest

from relay_passes.schedule_fallback import SCHEDULED
from tests.bench.dense_tuning.samples import conv_shape, dense_record
from tvm_patdnn.bench.dense_tuning import tune
from tvm_patdnn.bench.dense_tuning.compare import Comparison, compare
from tvm_patdnn.bench.dense_tuning.extension import tuned_extension
from tvm_patdnn.bench.dense_tuning.records import read_dense_records, write_record
from tvm_patdnn.bench.dense_tuning.search import SearchOptions
from tvm_patdnn.bench.dense_tuning.tasks import DenseTask, conv_shapes, dense_tasks, layer_model
from tvm_patdnn.bench.dense_tuning.tune import tasks_left, tune_tasks
from tvm_patdnn.builder import build_requested
from tvm_patdnn.compilation import Request
from tvm_patdnn.machine.host_cpu import host_config

onnxruntime = pytest.importorskip("onnxruntime")

OPTIONS = SearchOptions(
    trials=2,
    population=8,
    generations=1,
    cost_model="random",
    build_limit=600.0,  # however busy the machine is
    run_limit=600.0,
)


def task(**changes) -> DenseTask:
    return DenseTask(shape=conv_shape(**changes), share=1.0, models=("net",))


def reference(model: onnx.ModelProto, data: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(
        model.SerializeToString(), providers=["CPUExecutionProvider"]
    )
    return session.run(None, {"x": data})[0]


@pytest.fixture(scope="module")
def tuned(tmp_path_factory):
    """The folder of the one record, and the record as it was yielded."""
    folder = tmp_path_factory.mktemp("dense")
    (record,) = tune_tasks([task()], folder, 1, OPTIONS)
    return folder, record


def test_a_search_finds_a_schedule_and_measures_it(tuned):
    folder, record = tuned
    assert read_dense_records(folder) == [record]
    assert (record.trials, record.threads, record.shape) == (2, 1, conv_shape())
    assert record.trace is not None
    assert record.tuned_s > 0
    assert record.ours_s > 0


def test_a_library_with_it_gives_the_numbers_of_onnxruntime(tuned, tmp_path):
    _, record = tuned
    model = layer_model(record.shape)
    data = np.random.default_rng(3).standard_normal(record.shape.in_shape).astype(np.float32)
    extension = tuned_extension({record.shape: record.trace})
    request = Request(onnx_model=model, extension=extension, dump=tmp_path)
    library = build_requested(request)
    assert len(library.report) == 0  # it is not a kernel of ours
    assert any(SCHEDULED in path.read_text() for path in tmp_path.iterdir())
    np.testing.assert_allclose(
        library.run({"x": data})["y"], reference(model, data), rtol=1e-4, atol=1e-5
    )


def test_what_is_tuned_is_not_tuned_again(tuned):
    folder, _ = tuned
    other = task(stride=(2, 2))
    assert tasks_left([task(), other], folder, 1, trials=2) == [other]
    assert tasks_left([task()], folder, 1, trials=1) == []
    assert tasks_left([task()], folder, 1, trials=3) == [task()]
    assert tasks_left([task()], folder, 2, trials=2) == [task()]


def test_records_of_other_machines_and_versions_do_not_count(tmp_path):
    for change in ({"cpu": "other"}, {"tvm": "0.1"}):
        write_record(tmp_path, dense_record(**change))
    assert tasks_left([task()], tmp_path, 2, trials=1) == [task()]
    write_record(tmp_path, dense_record())
    assert tasks_left([task()], tmp_path, 2, trials=1) == []


@pytest.fixture
def instant(monkeypatch):
    """Tuning without tuning; ``clock`` goes on 10 s with each task."""
    clock = {"now": 0.0}

    def search(*_):
        clock["now"] += 10.0
        return [[], []]

    monkeypatch.setattr(tune, "search", search)
    monkeypatch.setattr(tune, "compare", lambda *_: Comparison(tuned_s=None, ours_s=1.0))
    monkeypatch.setattr(tune.time, "monotonic", lambda: clock["now"])


@pytest.mark.parametrize(("seconds", "done"), [(None, 3), (0.5, 1), (19.0, 1), (20.0, 2), (99, 3)])
def test_no_task_begins_that_would_end_too_late(instant, tmp_path, seconds, done):
    tasks = [task(groups=groups) for groups in (1, 2, 4)]
    told = []
    records = list(tune_tasks(tasks, tmp_path, 1, OPTIONS, seconds=seconds, progress=told.append))
    assert [record.shape for record in records] == [each.shape for each in tasks[:done]]
    assert told == [str(each.shape) for each in tasks[:done]]


def test_a_schedule_with_wrong_results_is_not_kept(instant, tmp_path):
    (record,) = tune_tasks([task()], tmp_path, 1, OPTIONS)
    assert (record.trace, record.tuned_s, record.ours_s) == (None, None, 1.0)


def test_a_failure_of_the_tuner_is_a_record_without_a_schedule(instant, monkeypatch, tmp_path):
    def search(*_):
        raise RuntimeError("no space")

    monkeypatch.setattr(tune, "search", search)
    (record,) = tune_tasks([task()], tmp_path, 1, OPTIONS)
    assert (record.trace, record.tuned_s, record.ours_s) == (None, None, 1.0)


def test_without_a_schedule_ours_is_measured():
    comparison = compare(conv_shape(), None, {**host_config(), "num-cores": 1}, 1, rounds=2)
    assert comparison.tuned_s is None
    assert comparison.ours_s > 0


def test_tasks_are_the_distinct_convolutions_by_their_work(tmp_path):
    small, large = conv_shape(), conv_shape(in_shape=(1, 8, 40, 40))
    for name, shape in (("a", small), ("b", large), ("c", small)):
        onnx.save(layer_model(shape), tmp_path / f"{name}.onnx")
    paths = [tmp_path / f"{name}.onnx" for name in "bac"]
    tasks = dense_tasks(paths)
    assert [(each.shape, each.share, each.models) for each in tasks] == [
        (small, 2.0, ("a", "c")),
        (large, 1.0, ("b",)),
    ]
    assert conv_shapes(paths[0]) == [large]


def test_products_with_a_matrix_are_no_task(tmp_path):
    onnx.save(layer_model(conv_shape(in_shape=(1, 8, 3, 3), padding=(0,) * 4)), tmp_path / "a.onnx")
    assert dense_tasks([tmp_path / "a.onnx"]) == []


def test_the_model_of_a_layer_is_the_layer(tmp_path):
    shape = conv_shape(
        in_shape=(1, 4, 9, 7),
        weight_shape=(6, 2, 3, 3),
        groups=2,
        stride=(2, 1),
        padding=(0, 1, 2, 1),
    )
    onnx.save(layer_model(shape), tmp_path / "a.onnx")
    assert conv_shapes(tmp_path / "a.onnx") == [shape]
    weight, _ = replace(shape).weights()
    assert weight.shape == shape.weight_shape
