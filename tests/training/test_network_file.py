from dataclasses import replace

import pytest
import torch

from tvm_patdnn.errors import BuildError, TrainingError
from tvm_patdnn.training.checkpoint import save_checkpoint
from tvm_patdnn.training.evaluation import Accuracy
from tvm_patdnn.training.network_file import NetworkFile, halved, load_network, save_network

NETWORK = NetworkFile(
    facts={"network": "a:b", "seed": 3},
    state={"weight": torch.tensor([0.1, -1e-9, 3.0]), "count": torch.tensor(70_001)},
    epochs=7,
    accuracy=Accuracy(top1=77.5, top5=98.0, loss=0.7),
)


def test_round_trip_in_half_the_bytes(tmp_path):
    save_network(tmp_path / "n.pt", NETWORK)
    found = load_network(tmp_path / "n.pt")
    assert (found.facts, found.epochs, found.accuracy) == (
        *(NETWORK.facts, NETWORK.epochs, NETWORK.accuracy),
    )
    assert found.state["weight"].dtype == torch.float16
    assert torch.equal(found.state["weight"], NETWORK.state["weight"].half())
    assert found.state["count"].item() == 70_001


@pytest.mark.parametrize("value", [1e5, -1e5, float("inf"), float("nan")])
def test_values_beyond_float16_stay_as_they_are(value):
    state = {"variance": torch.tensor([1.0, value]), "weight": torch.tensor([65_504.0])}
    found = halved(state)
    assert found["variance"] is state["variance"]
    assert found["weight"].dtype == torch.float16


def test_halving_twice_changes_nothing():
    once = halved(NETWORK.state)
    twice = halved({name: value.float() for name, value in once.items()})
    assert all(torch.equal(twice[name].float(), value.float()) for name, value in once.items())


def test_files_that_hold_something_else(tmp_path):
    save_checkpoint(tmp_path / "run.pt", "run", {})
    with pytest.raises(TrainingError, match="run.pt: is not the checkpoint of a network of this v"):
        load_network(tmp_path / "run.pt")
    with pytest.raises(TrainingError, match="none.pt: is not a checkpoint that can be read"):
        load_network(tmp_path / "none.pt")


def test_a_file_that_cannot_be_written(tmp_path):
    with pytest.raises(BuildError, match="cannot be written"):
        save_network(tmp_path / "no" / "n.pt", replace(NETWORK, epochs=8))
