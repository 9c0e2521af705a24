import sys

import pytest
import torch

from tests.training.tiny import made_data
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.computing import choose_computing
from tvm_patdnn.training.network_factory import (
    input_channels,
    make_checked_network,
    make_network,
)

CPU = torch.device("cpu")


def test_with_and_without_a_number_of_classes():
    assert make_network("tests.training.tiny:tiny_net", classes=7, seed=0).head.out_features == 7
    assert len(make_network("tests.training.tiny:plain_net", classes=7, seed=0)) == 9


def test_the_seed_decides_the_weights():
    nets = [make_network("models.small:small_vgg", classes=3, seed=seed) for seed in (1, 1, 2)]
    first = [next(net.parameters()) for net in nets]
    assert torch.equal(first[0], first[1])
    assert not torch.equal(first[0], first[2])


def test_a_module_where_the_command_runs(tmp_path, monkeypatch):
    (tmp_path / "my_nets_7.py").write_text(
        "from torch import nn\ndef net(): return nn.Sequential(nn.Conv2d(5, 2, 3))\n"
    )
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    assert input_channels(make_network("my_nets_7:net", classes=2, seed=0)) == 5


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("resnet20", "network 'resnet20': expected MODULE:FACTORY, such as models.resnet:res"),
        ("no_such_module:net", "no_such_module cannot be imported: .*set PYTHONPATH"),
        ("models.resnet:resnet19", "models.resnet has no factory resnet19"),
        ("tests.training.tiny:no_module", "made a str; expected a torch.nn.Module"),
        ("tests.training.tiny:example", "made a Tensor; expected"),
        ("models.resnet:BasicBlock", "cannot be made: .*expected a factory without arguments"),
    ],
)
def test_wrong_factories(factory, message):
    with pytest.raises(TrainingError, match=message):
        make_network(factory, classes=3, seed=0)


@pytest.mark.parametrize(
    ("factory", "message"),
    [
        ("models.vgg:vgg16_features", r"does not take images of shape \(2, 3, 8, 8\)"),
        ("models.layers:conv_bn", "cannot be made"),
        ("tests.training.test_network_factory:wide", r"gives \(2, 9\) for 2 images; expected \(2"),
    ],
)
def test_networks_that_do_not_fit_the_data(factory, message):
    with pytest.raises(TrainingError, match=message):
        make_checked_network(factory, made_data(), seed=0, device=CPU)


def wide():
    return torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(3 * 8 * 8, 9))


def test_random_numbers_are_left_alone():
    before = torch.get_rng_state()
    make_checked_network("tests.training.tiny:tiny_net", made_data(), seed=0, device=CPU)
    assert torch.equal(before, torch.get_rng_state())


def test_an_unknown_device():
    with pytest.raises(TrainingError, match="torch device 'warp' cannot be used: "):
        choose_computing("warp", "auto")


def test_precision():
    assert choose_computing("cpu", "bfloat16").bfloat16
    assert not choose_computing("cpu", "float32").bfloat16
    assert choose_computing("cpu", "float32").name == "CPU, float32"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (
            "def net(): return 1 / 0",
            r"its factory failed: ZeroDivisionError: .*nets_\d.py:1",
        ),
        ("1 / 0", "importing broken_nets_. failed: ZeroDivisionError: division by zero"),
        ("def net(:", "importing broken_nets_. failed: SyntaxError: "),
        (
            "from torch import nn\nclass net(nn.Module):\n    def forward(self, x): return x.a.b",
            "does not take images of shape .*AttributeError: .*broken_nets_.*:3",
        ),
    ],
)
def test_errors_of_the_users_code_are_told(tmp_path, monkeypatch, code, message):
    name = f"broken_nets_{len(code) % 10}"
    (tmp_path / f"{name}.py").write_text(code)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(TrainingError, match=message):
        make_checked_network(f"{name}:net", made_data(), seed=0, device=CPU)
