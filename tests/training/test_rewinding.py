from dataclasses import replace

import pytest
import torch

from tests.training.runs import spec
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.network_factory import make_checked_network
from tvm_patdnn.training.rewinding import early_network
from tvm_patdnn.training.run import TrainingRun


def rewound(folder, rewind, **settings):
    """A run and its weights when retraining begins: by name."""
    described = replace(spec(folder, rewind=rewind, **settings), checkpoint=None)
    taken = {}

    def begin(phase, epoch):
        if phase.name == "retrain" and epoch == 0:
            taken.update({n: v.clone() for n, v in run.network.state_dict().items()})

    run = TrainingRun(described, begin=begin)
    run.run()
    return run, taken


def initial(described, seed=0):
    device = torch.device("cpu")
    return make_checked_network(described.network, described.data, seed=seed, device=device)


@pytest.mark.parametrize("rewind", [0, "fresh"])
def test_the_mask_of_the_end_on_weights_of_the_start(tmp_path, rewind):
    run, taken = rewound(tmp_path, rewind)
    usual, _ = rewound(tmp_path, None)
    first, masks = initial(run.spec).state_dict(), run.pruner.keeper.masks
    assert masks
    for name, mask in masks.items():
        assert torch.equal(mask, usual.pruner.keeper.masks[name])
        assert not taken[name][~mask].any()
        assert torch.equal(taken[name][mask], first[name][mask]) == (rewind == 0)
    assert not taken["first.1.running_mean"].any()
    assert run.state.projected == usual.state.projected
    assert run.pruner.summary() == usual.pruner.summary()


def test_an_early_epoch_is_that_of_pretraining(tmp_path):
    """Bit for bit, batch norms and all."""
    described = replace(spec(tmp_path, rewind=1), checkpoint=None)
    seen = []
    run = TrainingRun(
        described,
        note=lambda row: seen.append({n: v.clone() for n, v in run.network.state_dict().items()}),
    )
    run.run()
    early = early_network(described).state_dict()
    assert all(torch.equal(value, seen[0][name]) for name, value in early.items())
    assert not all(torch.equal(value, seen[1][name]) for name, value in early.items())


def test_a_resumed_run_rewinds_to_the_same(tmp_path):
    class StoppedError(Exception):
        pass

    def stop(row):
        seen.append(row)
        if len(seen) == 6:
            raise StoppedError

    seen = []
    described = spec(tmp_path, rewind=1)
    whole, _ = rewound(tmp_path, 1)
    with pytest.raises(StoppedError):
        TrainingRun(described, note=stop).run()
    resumed = TrainingRun(described)
    assert resumed.resume()
    resumed.run()
    state = whole.network.state_dict()
    assert all(torch.equal(v, state[name]) for name, v in resumed.network.state_dict().items())


def test_a_dense_network_of_another_schedule(tmp_path):
    shared = {"dense": tmp_path / "dense.pt", "checkpoint": None}
    TrainingRun(replace(spec(tmp_path), **shared)).run()
    other = replace(spec(tmp_path, dense_epochs=5, rewind=1), **shared)
    with pytest.raises(TrainingError, match="trained for 2 epochs, the settings say 5.*-epochs 2"):
        TrainingRun(other, begin=lambda phase, epoch: pytest.fail("trained")).run()
    TrainingRun(replace(spec(tmp_path, dense_epochs=5, rewind=0), **shared)).run()


def test_more_epochs_than_there_were(tmp_path):
    with pytest.raises(TrainingError, match="rewind=3: expected 0 to 2, the epochs of pretrain"):
        spec(tmp_path, rewind=3)
    with pytest.raises(TrainingError, match="rewind=-1: expected 0 to 2"):
        spec(tmp_path, rewind=-1)
    with pytest.raises(TrainingError, match="rewind='early': expected 0 to 2.*or 'fresh'"):
        spec(tmp_path, rewind="early")
