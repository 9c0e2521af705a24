import json
import subprocess
import sys

import numpy as np
import pytest

from tests.training.data.made_files import write_jpeg_npz

pytest.importorskip("torch")

SHORT = ["--dense-epochs=1", "--prune-epochs=2", "--retrain-epochs=1", "--update-every=1"]
QUICK = ["-q", *SHORT, "--batch=10", "--threads=1", "--precision=float32", "--limit=20"]


@pytest.fixture(autouse=True)
def own_threads_and_cache(tmp_path, monkeypatch):
    import torch

    threads = torch.get_num_threads()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    write_jpeg_npz(folder)
    return folder


def words(data, out, *more):
    network = "tests.training.tiny:tiny_net"
    return ["train", "--network", network, "--data", data, "-o", out, *QUICK, *more]


def test_the_whole_way(printed, data, tmp_path):
    import onnxruntime

    out, rows = tmp_path / "out", tmp_path / "rows.jsonl"
    text = printed(*words(data, out, "--json", rows, "--scan", "10", "--plots"))
    assert "after retraining" in text
    assert "inner.0" in text
    assert text.splitlines()[-1].startswith(f"in {out}: checkpoint.pt, curves.svg, dense.pt, ")
    row = json.loads(rows.read_text())
    assert row["data"] == "CIFAR-10 (JPEG)"
    assert row["rates"]
    session = onnxruntime.InferenceSession(out / "pruned.onnx")
    scores = session.run(["y"], {"x": np.zeros((1, 3, 32, 32), np.float32)})[0]
    assert scores.shape == (1, 10)
    notes = session.get_modelmeta().custom_metadata_map
    assert [len(notes[name].split(",")) for name in ("mean", "std", "classes")] == [3, 3, 10]
    found = {path.name for path in out.iterdir()}
    assert found >= {
        "pruned.onnx",
        "network.pt",
        "dense.pt",
        "checkpoint.pt",
        "history.jsonl",
        "history.csv",
        "curves.svg",
    }
    assert found >= {"residuals.svg", "patterns.svg", "sensitivities.svg"}
    history = [json.loads(line) for line in (out / "history.jsonl").read_text().splitlines()]
    assert [each["phase"] for each in history] == ["dense", "prune", "prune", "retrain"]
    inspected = json.loads(printed("inspect", out / "pruned.onnx", "--json"))
    assert inspected["total"]["kept_macs"] == row["kept_macs"]
    assert inspected["total"]["dense_macs"] == row["dense_macs"]


def test_methods_share_a_dense_network_and_make_a_report(printed, data, tmp_path):
    dense, rows = tmp_path / "dense.pt", tmp_path / "rows.jsonl"
    for method in ("dense", "oneshot"):
        out = tmp_path / method
        printed(*words(data, out, "--method", method, "--dense", dense, "--json", rows))
    assert len(rows.read_text().splitlines()) == 2
    page = tmp_path / "accuracy.md"
    runs = tmp_path / "accuracy" / "runs.md"
    assert printed("train", "--report", rows, "-o", page) == f"{page}\n{runs}\n"
    assert "| one-shot magnitude | 3.6x | 1 |" in page.read_text()
    assert "### one-shot magnitude, 3.6x" in runs.read_text()


def test_latencies_for_a_report(printed, data, tmp_path, monkeypatch):
    pytest.importorskip("matplotlib")
    rows, found = tmp_path / "rows.jsonl", tmp_path / "latencies.json"
    printed(*words(data, tmp_path / "out", "--method=oneshot", "--json", rows))
    monkeypatch.setenv("TVM_NUM_THREADS", "1")
    timed = ["train", "--time", rows, "--data", data, "--threads=1", "-o", found]
    text = printed(*timed)
    assert " ms  tests.training.tiny:tiny_net; CIFAR-10 (JPEG); patterns; patterns (8, 4); " in text
    page = tmp_path / "accuracy.md"
    printed("train", "--report", rows, "--latencies", found, "-o", page)
    assert " ms |" in page.read_text()
    assert (tmp_path / "accuracy" / "tiny_net.svg").is_file()


def test_a_teacher(printed, failing, misused, data, tmp_path):
    dense, rows = tmp_path / "dense", tmp_path / "rows.jsonl"
    out = tmp_path / "out"
    taught = words(data, out, "--distill=0.9", "--teacher", dense, "--json", rows, "--overwrite")
    assert "is not a checkpoint that can be read" in failing(*taught)
    printed(*words(data, dense, "--method=dense"))
    printed(*taught)
    assert json.loads(rows.read_text())["teacher"] == "tiny_net of 4 epochs"
    file = (dense / "network.pt").rename(tmp_path / "teacher.pt")
    assert "not finished; continue it first with --resume" in failing(*taught)
    again = [file if word == dense else word for word in taught]
    printed(*again, "--teacher-scores", tmp_path / "scores")
    assert len(list((tmp_path / "scores").iterdir())) == 1
    first, second = map(json.loads, rows.read_text().splitlines())
    assert first["top1_pruned"] == second["top1_pruned"]
    assert second["teacher"] == "tiny_net of 4 epochs"
    for option in (["--teacher", dense], ["--teacher-scores", dense], ["--distill-pruning"]):
        assert f"{option[0]} belongs to --distill" in misused(*words(data, out, *option))


def test_each_epoch_and_each_warning_is_a_line(data, tmp_path, capsys):
    from tvm_patdnn.cli import main

    line = [str(word) for word in words(data, tmp_path / "out") if word != "-q"]
    assert main(line) == 0
    said = capsys.readouterr().err.splitlines()
    assert [each.split(":")[0] for each in said] == [
        "tvm-patdnn",
        "tvm-patdnn",
        "dense 1/1",
        "prune 1/2",
        "prune 2/2",
        "tvm-patdnn",
        "retrain 1/1",
    ]
    assert said[5].startswith("tvm-patdnn: warning: finalize: weights are still far from their")


def test_resume(printed, failing, data, tmp_path):
    first = printed(*words(data, tmp_path / "out"))
    again = printed(*words(data, tmp_path / "out", "--resume"))
    assert first == again
    said = failing(*words(data, tmp_path / "out", "--resume", "--lr=0.3"))
    assert "checkpoint.pt: was written by another run: lr 0.1 there, 0.3 here" in said


def test_rewind(printed, failing, data, tmp_path):
    rows = tmp_path / "rows.jsonl"
    for rewind in ("0", "fresh"):
        printed(*words(data, tmp_path / rewind, "--rewind", rewind, "--json", rows))
    assert [json.loads(line)["rewind"] for line in rows.read_text().splitlines()] == [0, "fresh"]
    said = failing(*words(data, tmp_path / "out", "--rewind=2"))
    assert "rewind=2: expected 0 to 1, the epochs of pretraining" in said


def test_a_finished_run_is_not_lost_by_mistake(printed, failing, data, tmp_path):
    out, rows = tmp_path / "out", tmp_path / "rows.jsonl"
    first = printed(*words(data, out, "--json", rows))
    said = failing(*words(data, out))
    assert "holds a run already (checkpoint.pt, pruned.onnx); --resume continues it, --over" in said
    assert printed(*words(data, out, "--overwrite", "--json", rows)) == first
    assert len(rows.read_text().splitlines()) == 2


def test_a_given_pattern(printed, data, tmp_path):
    given = ["--pattern=##./##./...", "--pattern=.../.##/.##", "--connectivity=1"]
    text = printed(*words(data, tmp_path / "out", *given, "--method=oneshot"))
    line = next(line for line in text.splitlines() if line.startswith("inner.0"))
    assert line.split()[2] == "2"


def test_errors(failing, data, tmp_path):
    out = tmp_path / "out"
    assert "no such folder" in failing(*words(tmp_path / "none", out))
    assert "expected MODULE:FACTORY" in failing(*words(data, out, "--network=resnet20"))
    assert "prune_epochs=0: expected at least 1" in failing(*words(data, out, "--prune-epochs=0"))
    assert "cannot be written" in failing(*words(data, out, "--json", tmp_path))
    assert "torch device 'warp' cannot be" in failing(*words(data, out, "--torch-device=warp"))
    assert not (out / "pruned.onnx").exists()


def test_usage(misused, data, tmp_path):
    out = tmp_path / "out"
    assert "required: --network, --data" in misused("train", "-o", out)
    assert "give one goal" in misused(*words(data, out, "--target-macs=1e6", "--target-speedup=2"))
    assert "--target belongs to --target-speedup" in misused(*words(data, out, "--target=x"))
    assert "unrecognized arguments: --device=cpu" in misused(*words(data, out, "--device=cpu"))
    assert "--report cannot be combined with" in misused(*words(data, out, "--report", "r.jsonl"))
    assert "--latencies belongs to --report" in misused(*words(data, out, "--latencies", "l.json"))
    assert "--time needs --data, and" in misused("train", "--time", "r.jsonl", "-o", out)
    assert "--time needs --data, and" in misused(*words(data, out, "--time", "r.jsonl"))


def test_help_and_missing_torch(tmp_path):
    """The help needs nothing heavy; without torch a run says what to install."""
    code = (
        "import sys\n"
        "class Hidden:\n"
        "    def find_spec(self, name, *_):\n"
        "        if name.split('.')[0] in ('torch', 'numpy', 'tvm', 'onnx') and HIDE:\n"
        "            raise ImportError(name)\n"
        "import importlib.util, importlib.machinery\n"
        "HIDE = '--help' in sys.argv\n"
        "sys.meta_path.insert(0, Hidden())\n"
        "find = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *a: None if name == 'torch' else find(name, *a)\n"
        "from tvm_patdnn.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )

    def run(*more):
        command = [sys.executable, "-c", code, "train", *more]
        return subprocess.run(command, capture_output=True, text=True, check=False)

    helped = run("--help")
    assert (helped.returncode, helped.stderr) == (0, "")
    assert "--distill X" in helped.stdout
    missing = run("--network=a:b", f"--data={tmp_path}", "-o", str(tmp_path / "out"))
    assert missing.returncode == 1
    assert "training needs torch, which is not installed; install it with" in missing.stderr
    assert "tvm-patdnn[train]" in missing.stderr


def test_the_arguments_are_the_options():
    """They are written down twice, as the help must not import the training."""
    from dataclasses import asdict

    from tvm_patdnn.cli import train_arguments
    from tvm_patdnn.training.options import METHODS
    from tvm_patdnn.training.settings import TrainSettings

    assert train_arguments._METHODS == METHODS
    settings = asdict(TrainSettings())
    defaults = {name: default for name, (_, default, _) in train_arguments.SETTINGS.items()}
    assert defaults.items() <= settings.items()
    assert set(settings) - set(defaults) == (
        {"distill_pruning", "precision", "rewind", "warmup", "temperature"}
    )
