import pytest

from tests.training.runs import spec
from tests.training.tiny import made_data
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.outcome import outcome_row, outcome_text
from tvm_patdnn.training.run import TrainingRun


def test_a_finished_run(tmp_path):
    small = spec(tmp_path, data=made_data(32, 20), dense_epochs=1, retrain_epochs=1)
    run = TrainingRun(small)
    with pytest.raises(TrainingError, match="nothing is pruned yet"):
        outcome_row(run, "command")
    run.run()
    row = outcome_row(run, "command")
    assert (row.method, row.seed, row.train_images, row.test_images) == ("admm", 0, 32, 20)
    assert (row.epochs, row.command, row.data) == (5, "command", "made")
    assert row.top1_pruned == run.state.final.top1
    assert row.kept_macs == run.pruner.summary().kept_macs < row.dense_macs
    assert row.compression_macs == row.dense_macs / row.kept_macs
    assert row.settings["batch"] == 32
    assert row.settings["rho"] == 1e-4
    text = outcome_text(run)
    assert "after the projection" in text
    assert "by multiply-accumulates:" in text
    assert f"{row.top1_pruned:.2f}%" in text
