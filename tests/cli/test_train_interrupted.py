"""From a folder of images to a library that runs, with an interruption on the way."""

import json
import os
import shlex
import signal

import pytest
from PIL import Image

from tests.cli.conftest import PHASE
from tests.training.tiny import CLASSES, made_images
from tvm_patdnn.cli import main
from tvm_patdnn.cli.train_progress import TrainBar

pytest.importorskip("torch")

SHORT = ["--dense-epochs=2", "--prune-epochs=2", "--retrain-epochs=2", "--update-every=1"]
QUICK = [*SHORT, "--batch=10", "--lr=0.05", "--threads=1", "--precision=float32"]
ENDS = {signal.SIGINT: (130, "interrupted"), signal.SIGTERM: (143, "terminated")}


@pytest.fixture(autouse=True)
def own_threads_and_cache(tmp_path, monkeypatch):
    import torch

    before = torch.get_num_threads(), signal.signal(signal.SIGINT, signal.default_int_handler)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    yield
    torch.set_num_threads(before[0])
    signal.signal(signal.SIGINT, before[1])


@pytest.fixture
def words(tmp_path):
    """The command, on a folder of images."""
    for half, count, seed in (("train", 40, 1), ("val", 20, 2)):
        for i, (pixels, label) in enumerate(zip(*made_images(count, seed))):
            folder = tmp_path / "my images" / half / CLASSES[label]
            folder.mkdir(parents=True, exist_ok=True)
            Image.fromarray(pixels.transpose(1, 2, 0)).save(folder / f"{i}.png")
    network = ["train", "--network=tests.training.tiny:tiny_net"]
    return [*network, "--data", str(tmp_path / "my images"), "-o", str(tmp_path / "out"), *QUICK]


def stop_in_epoch(monkeypatch, number, epoch):
    """Sends a signal as an epoch begins, once."""
    begin, begun = TrainBar.begin, []

    def stop(bar, phase, number_of_phase):
        begin(bar, phase, number_of_phase)
        begun.append(phase)
        if len(begun) == epoch:
            os.kill(os.getpid(), number)

    monkeypatch.setattr(TrainBar, "begin", stop)


@pytest.mark.filterwarnings("ignore:finalize")
def test_the_whole_way(words, tmp_path, monkeypatch, capsys, printed):
    stop_in_epoch(monkeypatch, signal.SIGINT, 4)
    assert main([*words, "--overwrite"]) == 130
    said = capsys.readouterr().err.splitlines()
    assert said[:2] == [
        f"tvm-patdnn: loading torch, and the images in {tmp_path}/my images",
        "tvm-patdnn: tests.training.tiny:tiny_net on CPU, float32: 40 training and 20 test images "
        "of 3 classes; epochs: dense 2, prune 2, retrain 2; method: admm",
    ]
    kept, advice = said[-2].split("; go on with: ")
    assert kept == f"tvm-patdnn: 3 epochs are kept in {tmp_path}/out/checkpoint.pt"
    assert said[-1] == "tvm-patdnn: interrupted"
    program, *again = shlex.split(advice)
    assert (program, again) == ("tvm-patdnn", [*words, "--resume"])

    assert main(again) == 0
    told = capsys.readouterr()
    assert "method: admm; goes on after 3 epochs\n" in told.err
    rest = [line.split(":")[0] for line in told.err.splitlines()[2:]]
    assert [each for each in rest if each != "tvm-patdnn"] == [
        *("prune 2/2", "retrain 1/2", "retrain 2/2")
    ]

    pruned, library = tmp_path / "out/pruned.onnx", tmp_path / "model.so"
    data = ("--data", tmp_path / "my images")
    expected = json.loads(printed("eval", pruned, *data, "--json"))
    assert expected["images"] == 20
    printed("build", pruned, "-o", library, "--no-cache")
    assert json.loads(printed("eval", library, *data, "--json")) == expected
    shown = printed("run", library, "--input", f"x={tmp_path / 'my images/val/red'}")
    assert all(line.split(" (")[1].split(")")[0] in CLASSES for line in shown.splitlines())


@pytest.mark.parametrize("number", ENDS)
def test_before_the_first_epoch_is_over(words, monkeypatch, capsys, number):
    stop_in_epoch(monkeypatch, number, 1)
    status, word = ENDS[number]
    assert main([*words, "-q"]) == status
    assert capsys.readouterr().err == (
        "tvm-patdnn: nothing is kept, as no epoch is over; the same command begins anew\n"
        f"tvm-patdnn: {word}\n"
    )


def test_a_dense_network_that_is_there_is_named(words, tmp_path, monkeypatch, capsys):
    assert main([*words, "-q", "--method=dense", "--dense", str(tmp_path / "dense.pt")]) == 0
    stop_in_epoch(monkeypatch, signal.SIGINT, 1)
    again = [str(tmp_path / "other") if w == str(tmp_path / "out") else w for w in words]
    assert main([*again, "--dense", str(tmp_path / "dense.pt")]) == 130
    said = capsys.readouterr().err
    assert f"retrain 2 (dense: taken from {tmp_path}/dense.pt); method: admm\n" in said
    assert not [line for line in said.splitlines() if PHASE.fullmatch(line)]
