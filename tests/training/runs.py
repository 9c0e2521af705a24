"""Short runs."""

from pathlib import Path

from tests.training.tiny import made_data
from tvm_patdnn.training.computing import choose_computing
from tvm_patdnn.training.options import PrunerConfig
from tvm_patdnn.training.run_spec import RunSpec
from tvm_patdnn.training.settings import TrainSettings

TINY = "tests.training.tiny:tiny_net"
WIDER = "tests.training.tiny:wider_net"


def spec(folder: Path, *, method="admm", data=None, rates=None, **settings) -> RunSpec:
    """Describes a run of 2 + 3 + 2 epochs of 3 steps."""
    chosen = {
        **{"dense_epochs": 2, "prune_epochs": 3, "retrain_epochs": 2, "batch": 32},
        **{"precision": "float32", "lr": 0.05},
        **settings,
    }
    return RunSpec(
        network=TINY,
        data=data or made_data(),
        settings=TrainSettings(**chosen),
        pruner=PrunerConfig(method=method, epochs=chosen["prune_epochs"], update_every=1),
        computing=choose_computing("cpu", "float32"),
        choose_rates=rates,
        checkpoint=folder / "checkpoint.pt",
    )
