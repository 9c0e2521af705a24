import json
from itertools import islice

import numpy as np
import onnx
import pytest
import torch

from models import int8_accuracy
from models.int8_accuracy import main, measured
from models.int8_subjects import checkpoint, classifier, demosaicking, subjects
from tests.onnx_models import conv_model
from tests.training.tiny import made_data, sure_net
from tvm_patdnn.training.evaluation import Accuracy
from tvm_patdnn.training.export import export_onnx
from tvm_patdnn.training.network_file import NetworkFile, save_network


@pytest.fixture(scope="module")
def subject(tmp_path_factory):
    """A network in a checkpoint, with data that it was not trained on."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = sure_net().eval()
    facts = {"network": "tests.training.tiny:sure_net", "data": "made", "train_images": 96}
    stored = NetworkFile(
        facts=facts,
        state=net.state_dict(),
        epochs=4,
        accuracy=Accuracy(top1=33.0, top5=100.0, loss=1.0),
    )
    path = tmp_path_factory.mktemp("int8") / "sure_net.pt"
    save_network(path, stored)
    return checkpoint(path, made_data())


def test_a_checkpoint_is_the_network_that_was_trained(subject):
    assert (subject.name, subject.calibration) == ("sure_net, dense", "96 training images")
    arrays = list(subject.arrays())
    assert len(arrays) == 96
    assert arrays[0].shape == (1, 3, 8, 8)


def test_a_row(subject):
    row = measured(subject)
    assert row.float32 == pytest.approx(row.int8, abs=15)  # 60 images
    assert row.exact == pytest.approx(row.int8, abs=2)
    assert row.data == "made"
    assert (row.layers, row.int8_layers) == (6, 6)
    assert "onnxruntime " in row.versions


def test_the_score_is_of_all_test_images(tmp_path):
    data = made_data()
    export_onnx(sure_net(), torch.zeros(1, 3, 8, 8), tmp_path / "net.onnx")
    subject = classifier("a", onnx.load(tmp_path / "net.onnx"), data)
    sums = data.test.images.float().sum(dim=(2, 3))
    brightest = 100 * float((sums.argmax(dim=1) == data.test.labels).float().mean())
    scaled = subject.judge(lambda image: image.sum(axis=(2, 3)))
    assert scaled == pytest.approx(brightest)


def test_the_score_of_a_mosaic():
    subject = demosaicking(conv_model([1, 3, 32, 32]))
    assert subject.unit == "PSNR, dB"
    assert 0 < subject.judge(lambda mosaic: mosaic) < 20
    assert subject.judge(lambda mosaic: np.maximum(mosaic, 0.3)) > 5


def test_the_command_writes_rows_and_the_page(subject, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(int8_accuracy, "open_data", lambda folder: made_data())
    monkeypatch.setattr(int8_accuracy, "subjects", lambda data: [subject])
    page = tmp_path / "int8.md"
    words = ["--data", "DATA", "-o", str(page)]
    assert main([*words, "--only", "sure*"]) == 0
    assert main([*words, "--only", "another"]) == 0
    (line,) = (tmp_path / "int8.jsonl").read_text().splitlines()
    assert json.loads(line)["network"] == "sure_net, dense"
    assert "| sure_net, dense | 96 training images | made |" in page.read_text()
    assert capsys.readouterr().err == "sure_net, dense, by 96 training images\n"


def test_the_networks_here_are_named():
    names = [each.name for each in islice(subjects(made_data()), 2)]
    assert names == ["small_vgg, pruned 8.1x (shipped)"] * 2
