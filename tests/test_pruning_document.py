import re
from pathlib import Path

import onnx
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from tvm_patdnn.training import PatternPruner

PAGE = (Path(__file__).parents[1] / "docs/pruning-your-network.md").read_text()


def network():
    """With the names of the page's wildcards."""
    head = nn.Sequential(nn.Conv2d(16, 3, 1), nn.AdaptiveAvgPool2d(1), nn.Flatten())
    parts = {
        "layer1": nn.Sequential(nn.Conv2d(3, 16, 3), nn.ReLU()),
        "layer2": nn.Sequential(nn.Conv2d(16, 16, 3), nn.ReLU()),
        "layer3": nn.Sequential(nn.Conv2d(16, 16, 3), nn.ReLU()),
        "head": head,
    }
    model = nn.Sequential()
    for name, part in parts.items():
        model.add_module(name, part)
    return model


def train_epoch(model, optimizer, penalty):
    optimizer.zero_grad()
    images = torch.randn(2, 3, 8, 8)
    (F.cross_entropy(model(images), torch.tensor([0, 1])) + penalty()).backward()
    optimizer.step()


@pytest.mark.filterwarnings("ignore:finalize")
def test_the_lines_of_the_page_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    model = network()
    names = {
        "model": model,
        "optimizer": torch.optim.SGD(model.parameters(), 0.01, momentum=0.9),
        "images": torch.randn(2, 3, 8, 8),
        "train_epoch": train_epoch,
    }
    for block in re.findall(r"^```python\n(.*?)^```", PAGE, re.MULTILINE | re.DOTALL):
        exec(compile(block, "docs/pruning-your-network.md", "exec"), names)
    assert "left alone: named in skip_layers" in capsys.readouterr().out
    stored = {t.name: t for t in onnx.load("pruned.onnx").graph.initializer}
    assert (onnx.numpy_helper.to_array(stored["layer3.0.weight"]) == 0).mean() > 0.7
    assert names["pruner"].finalized
    assert isinstance(names["pruner"], PatternPruner)
    assert torch.load("pruned.pt", weights_only=True).keys() == model.state_dict().keys()
