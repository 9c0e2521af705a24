import onnx
import pytest

from tests.bench.dense_tuning.samples import conv_shape, dense_record
from tvm_patdnn.bench import tune_dense
from tvm_patdnn.bench.dense_tuning import search, tune
from tvm_patdnn.bench.dense_tuning.records import write_record
from tvm_patdnn.bench.dense_tuning.tasks import layer_model
from tvm_patdnn.bench.tune_dense import main


@pytest.fixture
def words(tmp_path, monkeypatch):
    """The command's words, but for its options: two networks of a convolution each."""
    monkeypatch.setattr(search, "find_spec", lambda name: object())
    monkeypatch.setenv("TVM_NUM_THREADS", "1")  # the command sets it
    names = [str(tmp_path / f"{name}.onnx") for name in "ab"]
    for name, shape in zip(names, (conv_shape(), conv_shape(stride=(2, 2))), strict=True):
        onnx.save(layer_model(shape), name)
    return [*names, "--threads", "2", "-o", str(tmp_path / "records")]


def test_what_is_left_is_listed(words, tmp_path, capsys):
    write_record(tmp_path / "records", dense_record(trials=64))
    assert main([*words, "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == f"1 of 2 convolutions to tune, records in {tmp_path / 'records'}"
    assert lines[1:] == ["100.0%  3x3/2, 8->16@10x10  (b)"]


def test_each_result_is_printed_and_a_stop_is_told(words, monkeypatch, capsys):
    def tune_tasks(tasks, *_, **options):
        assert options["seconds"] == 5.0
        yield dense_record(shape=tasks[0].shape)

    monkeypatch.setattr(tune, "tune_tasks", tune_tasks)
    assert main([*words, "--seconds", "5"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "3x3, 8->16@10x10: tuned 1.000 ms, ours 2.000 ms"
    assert lines[2] == "out of time with 1 convolutions left; run it again to go on"


def test_interrupting_it_is_no_failure_of_ours(words, monkeypatch, capsys):
    def tune_tasks(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(tune, "tune_tasks", tune_tasks)
    assert main(words) == 130
    assert "stopped; run it again to go on" in capsys.readouterr().err


def test_an_unknown_name_is_an_error(words, capsys):
    assert main([*words, "--only", "7x7"]) == 1
    assert "--only: no convolution is called '7x7'; see --list" in capsys.readouterr().err


def test_options_are_checked(words, capsys):
    assert main([*words, "--trials", "0"]) == 1
    assert "trials: got 0, expected at least 1" in capsys.readouterr().err


def test_the_threads_are_set_before_tvm_starts_them(words, monkeypatch):
    monkeypatch.setattr(tune_dense, "_run", lambda words: None)
    assert main(words) == 0
    assert tune_dense.os.environ["TVM_NUM_THREADS"] == "2"
