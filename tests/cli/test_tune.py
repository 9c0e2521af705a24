import json
import os
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from tests.gpu.opencl import require_opencl
from tests.records.samples import key_of
from tvm_patdnn.cli.tune import _text
from tvm_patdnn.records.record_files import read_log
from tvm_patdnn.tuning import ranking_model
from tvm_patdnn.tuning.compare_networks import NetworkTimes
from tvm_patdnn.tuning.problem import TuningTask
from tvm_patdnn.tuning.settle_network import Settled
from tvm_patdnn.tuning.space import Space
from tvm_patdnn.tuning.tune import Tuned
from tvm_patdnn.tuning.tuner import TunedTask

ROOT = Path(__file__).parents[2]
TARGET = "native -num-cores=1"


@pytest.fixture
def tune(files, tmp_path, capsys):
    """Tunes the pruned network; returns what is on stdout and on stderr."""
    from tvm_patdnn.cli import main

    def run(*words: object) -> tuple[str, str]:
        where = ["--target", TARGET, "--log", str(tmp_path / "log")]
        assert main(["tune", str(files / "pruned.onnx"), *where, *map(str, words)]) == 0
        said = capsys.readouterr()
        return said.out, said.err

    return run


def test_from_the_model_to_a_library(tune, files, tmp_path, printed):
    pytest.importorskip("xgboost")
    told, said = tune("--trials", 14, "--json")
    tuned = json.loads(told)
    assert (tuned["layers"], len(tuned["tasks"])) == (2, 2)
    assert sum(task["trials"] for task in tuned["tasks"]) == 14
    assert all(0 < task["best_s"] <= task["default_s"] for task in tuned["tasks"])
    assert tuned["default_s"] > 0
    assert "tvm-patdnn: conv1: " in said
    assert len(list(read_log(tmp_path / "log"))) > 14
    shown = printed("logs", "show", tmp_path / "log").splitlines()[::2]
    names = [line.split(": in ")[0] for line in shown]
    assert set(names) == {"conv1", "conv2"}
    assert len(set(shown)) == len(shown) > 2  # each in several layouts

    again, _ = tune("--trials", 14)
    assert again.startswith("nothing left to measure: ")

    words = ("--target", TARGET, "--logs", tmp_path / "log", "--json")
    report = json.loads(printed("inspect", files / "pruned.onnx", *words))["layers"]
    assert all("measured" in layer["reason"] for layer in report)
    if tuned["kept"] and not tuned["layouts"]:
        first, schedule = tuned["tasks"][0]["configuration"], report[0]["schedule"]
        both = first.keys() & schedule.keys()
        assert both >= {"rows", "vectors", "group", "chunks"}
        assert {name: first[name] for name in both} == {name: schedule[name] for name in both}


def test_the_default_search_measures_the_defaults(tune):
    told, said = tune("--search", "default", "-q")
    assert "network: " in told
    assert "\n3 trials in " in told  # conv1 dense, conv2 dense and sparse
    assert said == ""


def test_a_quantised_network(tmp_path, printed):
    import onnx

    from tests.quantised_models import quantised

    onnx.save(quantised(), tmp_path / "int8.onnx")
    words = (tmp_path / "int8.onnx", "--target", TARGET, "--json")
    told = printed("tune", *words, "--search", "default", "-q", "--log", tmp_path / "log")
    tuned = json.loads(told)
    assert (tuned["layers"], len(tuned["tasks"])) == (7, 7)
    assert min(tuned["default_s"], tuned["tuned_s"]) > 0
    assert {r.key.family for r in read_log(tmp_path / "log")} == {"cpu conv2d int8"}
    report = json.loads(printed("inspect", *words, "--logs", tmp_path / "log"))["layers"]
    assert sum("scheduled as measured" in layer["reason"] for layer in report) == 7


def test_an_interruption_says_where_the_trials_are(files, tmp_path, monkeypatch, capsys):
    from tvm_patdnn.cli import main

    def interrupted(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("tvm_patdnn.tuning.tune.tune", interrupted)
    log = tmp_path / "log"
    main(["tune", str(files / "pruned.onnx"), "--search", "random", "--log", str(log)])
    assert f"what was measured is in {log}: the same again goes on" in capsys.readouterr().err


def said_of(tuned_s, choices, layouts=False):
    times = NetworkTimes(default_s=0.002, tuned_s=tuned_s)
    network = Settled(times=times, choices=choices, layouts=layouts, kept=bool(choices))
    tuned = Tuned(tasks=(), layers=1, trials=7, seconds_a_trial=0.5, network=network)
    first, second, *more = _text(tuned, Path("log")).splitlines()
    assert second == "7 trials in log; those of this run took 0.50 s each on average"
    return first, more


def test_what_is_said_of_a_faster_network():
    key, space = key_of(), Space((), (), dict)
    task = TuningTask(key=key, layers=("a", "b"), space=space, problem=None)
    choices = {TunedTask(task=task, trials=1, default_s=2.0, finalists={}): "point"}
    use = "use: tvm-patdnn build MODEL.onnx --logs log -o OUT.so"
    for layouts, other in ((False, ""), (True, "; layers get other layouts, too")):
        first, more = said_of(0.001, choices, layouts)
        assert first == "network: 2.000 ms before, 1.000 ms after: 2.00x"
        assert more == [f"layers that get another kernel: 2{other}", use]


@pytest.mark.parametrize(
    ("tuned_s", "said"), [(0.002, "2.000 ms"), (0.0025, "2.000 ms before, 2.500 ms after: 0.80x")]
)
def test_what_is_said_where_the_default_is_the_best(tuned_s, said):
    first, more = said_of(tuned_s, {})
    assert first == f"network: {said}"
    assert more == [
        "nothing that was measured is clearly faster than what is built by default: "
        "with log builds are as without it"
    ]


def test_a_run_that_is_killed_goes_on(files, tmp_path, tune):
    log = tmp_path / "log"
    words = [files / "pruned.onnx", "--target", TARGET, "--search", "random", "--log", log]
    process = subprocess.Popen(
        [sys.executable, "-m", "tvm_patdnn", "tune", *map(str, words)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    while len(measured(log)) < 20:  # two batches, and what each layer starts with
        assert process.poll() is None
        time.sleep(0.05)
    workers = psutil.Process(process.pid).children(recursive=True)
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert alive == []
    before = measured(log)
    told, _ = tune("--search", "random", "--trials", len(before) + 4)
    assert f"{len(before) + 4} trials in {log}" in told
    assert measured(log)[: len(before)] == before
    searched = [each for each in measured(log) if each[0] in dict(before)]  # not in other layouts
    assert len(set(searched)) == len(searched) == len(before) + 4  # none was measured twice


def measured(log):
    if not log.exists():
        return []
    return [(r.key, r.configuration) for r in read_log(log) if not r.chosen]


def test_errors(files, tmp_path, failing, misused, monkeypatch):
    monkeypatch.setattr(ranking_model, "find_spec", lambda name: None)
    said = failing("tune", files / "pruned.onnx", "--log", tmp_path)
    assert "the learned cost model needs xgboost, which is not installed" in said
    (tmp_path / "file").write_text("")
    words = ("--search", "random", "--log", tmp_path / "file" / "log")
    assert "cannot be made: " in failing("tune", files / "pruned.onnx", *words)
    assert "at least 1" in misused("tune", files / "pruned.onnx", "--trials", "0")


def test_a_model_without_convolutions(tmp_path, failing):
    import onnx

    from tests.onnx_models import model_of

    path = tmp_path / "relu.onnx"
    onnx.save(model_of([onnx.helper.make_node("Relu", ["x"], ["y"])], inputs={"x": (1, 4)}), path)
    said = failing("tune", path, "--search", "random", "--log", tmp_path / "log")
    assert "no convolution with a kernel of ours: nothing to tune" in said


def test_for_a_gpu_by_opencl(files, tmp_path, printed, capsys):
    from tvm_patdnn.cli import main

    require_opencl()
    model, log = str(files / "pruned.onnx"), str(tmp_path / "log")
    words = ["tune", model, "--target", "opencl", "--search", "random", "--trials", "5"]
    assert main([*words, "--log", log, "--json"]) == 0
    tuned = json.loads(capsys.readouterr().out)
    assert (tuned["layers"], sum(task["trials"] for task in tuned["tasks"])) == (2, 5)
    assert tuned["default_s"] > 0
    assert all(0 < task["best_s"] <= task["default_s"] for task in tuned["tasks"])
    assert [file.name for file in Path(log).glob("*.jsonl")] == ["Adreno-640.jsonl"]

    def reasons(target):
        words = ("inspect", model, "--target", target, "--logs", log, "--json")
        return [layer["reason"] for layer in json.loads(printed(*words))["layers"]]

    assert all("as measured" in reason for reason in reasons("opencl"))
    assert not any("measured" in reason for reason in reasons("mali"))
