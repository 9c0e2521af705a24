import re

import pytest
import torch
from torch import nn

from tests.training.test_wrapped_models import TwoInputs
from tests.training.tiny import example
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training import PatternPruner, PrunerConfig
from tvm_patdnn.training.example_run import in_inference_mode, input_values, run_example

FLAT = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Conv2d(8, 8, 3), nn.Flatten(), nn.Linear(128, 2))


def test_values_are_put_where_the_model_is(net):
    assert input_values(net, example())[0].device == next(net.parameters()).device
    near, far = input_values(TwoInputs(), (example(), 3))
    assert (near.shape, far) == (example().shape, 3)


@pytest.mark.parametrize("given", [{"x": example()}, [example()], example().numpy()])
def test_an_example_of_another_kind(net, given):
    with pytest.raises(TrainingError, match="example: got .*; expected a tensor, or a tuple"):
        input_values(net, given)


def test_another_number_of_inputs(net):
    said = r"got 1 inputs, but forward takes \(near, far\): missing .*'far'; give a tuple"
    with pytest.raises(TrainingError, match=said):
        input_values(TwoInputs(), example())


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            torch.zeros(2, 1, 8, 8),
            "does not take float32 [1, 1, 8, 8]: at 0: .*; expected float32 [n, 3, height, width], "
            "of a size that the network was made for",
        ),
        (torch.zeros(3, 8, 8), "[n, 3, height, width]; one image is a batch of one: give example"),
        (torch.zeros(2, 3, 8, 8, dtype=torch.float64), "; give example.to(torch.float32)"),
        (torch.zeros(2, 3, 9, 9), "at 3: .*; expected float32 [n, 3, height, width], of a size"),
        (torch.zeros(2, 3, 2, 2), "at 0: .*; expected float32 [n, 3, height, width], of a size"),
        (torch.zeros(()), "does not take float32 []: at 0: "),
    ],
)
def test_what_the_network_does_not_take(given, message):
    pattern = ".*".join(map(re.escape, message.split(".*")))
    with pytest.raises(TrainingError, match=pattern):
        PatternPruner(FLAT, example=given)


def test_the_file_wants_an_example_that_fits(tmp_path):
    pruner = PatternPruner(FLAT, PrunerConfig(method="oneshot"))
    pruner.finalize()
    with pytest.raises(TrainingError, match="example: the network does not take .* at 3: "):
        pruner.export_onnx(tmp_path / "net.onnx", torch.zeros(1, 3, 9, 9))
    assert not list(tmp_path.iterdir())


def test_several_inputs_that_do_not_fit():
    values = (example(), example().unsqueeze(0).double())
    said = r"float32 \[2, 3, 8, 8\], float64 \[1, 2, 3, 8, 8\]: at right: .*give one batch of what"
    with pytest.raises(TrainingError, match=said):
        run_example(TwoInputs(), values)


def test_modes_and_hooks_are_as_before(net):
    net.train()
    net.inner.eval()
    with in_inference_mode(net):
        assert not any(module.training for module in net.modules())
    run_example(net, (example(),))
    assert net.training
    assert not net.inner.training
    assert not net.inner[0]._forward_hooks
    assert not net.inner[0]._forward_pre_hooks
