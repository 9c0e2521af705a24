import pytest

from tvm_patdnn.training.phases import learning_rate, phases
from tvm_patdnn.training.settings import TrainSettings


def test_three_phases_with_their_epochs_and_rates():
    dense, prune, retrain = phases(TrainSettings(dense_epochs=4, prune_epochs=2, retrain_epochs=3))
    assert [p.name for p in (dense, prune, retrain)] == ["dense", "prune", "retrain"]
    assert [p.epochs for p in (dense, prune, retrain)] == [4, 2, 3]
    assert [p.lr for p in (dense, prune, retrain)] == [0.1, 0.01, 0.05]
    assert len({p.number for p in (dense, prune, retrain)}) == 3


def test_a_cosine_with_warmup():
    dense = phases(TrainSettings())[0]
    assert learning_rate(dense, 0.0, 0.1) == pytest.approx(0.001)
    assert learning_rate(dense, 0.05, 0.1) == pytest.approx(0.05)
    assert learning_rate(dense, 0.1, 0.1) == pytest.approx(0.1)
    assert learning_rate(dense, 0.55, 0.1) == pytest.approx(0.05)
    assert learning_rate(dense, 1.0, 0.1) == pytest.approx(0.0, abs=1e-12)
    assert learning_rate(dense, 0.0, 0.0) == pytest.approx(0.1)


def test_the_pruning_phase_is_constant():
    prune = phases(TrainSettings())[1]
    assert {learning_rate(prune, done, 0.1) for done in (0.0, 0.5, 1.0)} == {0.01}
