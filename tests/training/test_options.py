import pytest

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.options import PrunerConfig
from tvm_patdnn.training.settings import TrainSettings


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"method": "magic"}, "method='magic' is unknown; choose one of admm, oneshot"),
        ({"epochs": 0}, "epochs=0: expected at least 1"),
        ({"update_every": 0}, "update_every=0: expected at least 1 epoch"),
        ({"rho": 0.0}, "rho=0.0: expected a positive number"),
        ({"rho_factor": 0.5}, "rho_factor=0.5: expected at least 1"),
        ({"rho_stages": 0}, "rho_stages=0: expected at least 1"),
        ({"strength": -1.0}, "strength=-1.0: expected a positive number"),
    ],
)
def test_wrong_options_of_the_pruner(wrong, message):
    with pytest.raises(TrainingError, match=message):
        PrunerConfig(**wrong)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"precision": "half"}, "precision='half' is unknown; choose one of auto, float32"),
        ({"dense_epochs": -1}, "dense_epochs=-1: expected 0 or more"),
        ({"prune_epochs": 0}, "prune_epochs=0: expected at least 1"),
        ({"batch": 1}, "batch=1: expected at least 2"),
        ({"lr": float("nan")}, "lr=nan: expected a positive number"),
        ({"momentum": 1.0}, "momentum=1.0: expected 0 or more, below 1"),
        ({"distill": 1.5}, "distill=1.5: expected 0 to 1"),
        ({"weight_decay": -1.0}, "weight_decay=-1.0: expected 0 or more"),
    ],
)
def test_wrong_settings(wrong, message):
    with pytest.raises(TrainingError, match=message):
        TrainSettings(**wrong)
