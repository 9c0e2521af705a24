from dataclasses import replace

import pytest
import torch

from tests.training.runs import WIDER, spec
from tests.training.tiny import made_data
from tvm_patdnn.errors import PruningError, TrainingError
from tvm_patdnn.training.checkpoint import load_checkpoint
from tvm_patdnn.training.network_file import halved, load_network, save_network
from tvm_patdnn.training.options import PrunerConfig
from tvm_patdnn.training.rate_choice import RateChooser, RateGoal
from tvm_patdnn.training.run import TrainingRun
from tvm_patdnn.training.trained_network import read_trained_network


class StoppedError(Exception):
    pass


def finished(described):
    run = TrainingRun(described)
    run.run()
    return run


def stop_after(rows):
    """Makes a run fail after so many epochs."""
    seen = []

    def note(row):
        seen.append(row)
        if len(seen) == rows:
            raise StoppedError

    return note


def same(one, other):
    states = one.network.state_dict(), other.network.state_dict()
    return all(torch.equal(value, states[1][name]) for name, value in states[0].items())


def untimed(history):
    return [{key: value for key, value in row.items() if key != "seconds"} for row in history]


@pytest.mark.parametrize(
    ("method", "stop", "settings"),
    [
        ("admm", 2, {}),
        ("admm", 4, {}),
        ("admm", 5, {"distill": 0.5}),
        ("admm", 6, {"distill": 0.5}),
        ("gradual", 5, {}),
        ("oneshot", 4, {}),
        ("filter", 4, {}),
        ("reweighted", 5, {}),
    ],
)
def test_a_resumed_run_is_the_uninterrupted_one(tmp_path, method, stop, settings):
    """Bit for bit, in whichever phase it was interrupted; the epoch at hand is done again."""
    small = {"data": made_data(48, 20), "batch": 24, "method": method, **settings}
    for name in ("whole", "halves"):
        (tmp_path / name).mkdir()
    whole = finished(spec(tmp_path / "whole", **small))
    described = spec(tmp_path / "halves", **small)
    with pytest.raises(StoppedError):
        TrainingRun(described, note=stop_after(stop)).run()
    resumed = TrainingRun(described)
    assert resumed.resume() == (stop > 1)
    assert 0 < len(resumed.state.history) < stop
    resumed.run()
    assert same(whole, resumed)
    assert untimed(whole.state.history) == untimed(resumed.state.history)
    assert whole.state.final == resumed.state.final
    assert whole.state.projected == resumed.state.projected
    assert whole.pruner.log == resumed.pruner.log
    assert whole.pruner.summary() == resumed.pruner.summary()


def test_chosen_rates_survive_an_interruption(tmp_path):
    data = made_data()
    chooser = RateChooser(RateGoal(scan_images=30), PrunerConfig(), data)
    described = spec(tmp_path, data=data, rates=chooser)
    with pytest.raises(StoppedError):
        TrainingRun(described, note=stop_after(4)).run()
    rates = chooser(TrainingRun(described).network, TrainingRun(described).example)
    resumed = TrainingRun(described)
    resumed.resume()
    chosen = resumed.pruner.config.prune.per_layer
    assert set(chosen) == set(rates.prune.per_layer)
    assert len(set(chosen.values())) > 1
    resumed.run()
    assert resumed.pruner.config.prune.per_layer == chosen


def test_the_seed_decides(tmp_path):
    first = finished(replace(spec(tmp_path), checkpoint=None))
    torch.manual_seed(99)
    before = torch.get_rng_state()
    again = finished(replace(spec(tmp_path), checkpoint=None))
    assert same(first, again)
    assert torch.equal(before, torch.get_rng_state())
    assert not same(first, finished(replace(spec(tmp_path, seed=1), checkpoint=None)))


def test_it_learns_and_stays_pruned(tmp_path):
    run = finished(spec(tmp_path, dense_epochs=12, retrain_epochs=12))
    assert run.state.dense.top1 > 80
    assert run.state.final.top1 > 80
    assert run.pruner.summary().compression_3x3 == pytest.approx(8.1, rel=0.02)
    assert len(run.state.history) == 27
    assert [row["phase"] for row in run.state.history[11:16]] == [
        *("dense", "prune", "prune", "prune", "retrain")
    ]
    assert run.state.history[-1]["test_top1"] == run.state.final.top1


def test_a_dense_network_is_trained_once_for_several_methods(tmp_path):
    shared = {"dense": tmp_path / "dense.pt", "checkpoint": None}
    first = finished(replace(spec(tmp_path), **shared))
    assert len(first.state.history) == 7
    second = finished(replace(spec(tmp_path, method="dense", dense_epochs=9), **shared))
    assert len(second.state.history) == 5
    assert second.state.dense == first.state.dense
    assert second.state.dense_epochs == 2
    assert load_network(shared["dense"]).facts == first.spec.identity
    again = finished(replace(spec(tmp_path), **shared))
    assert same(first, again)


def test_a_dense_network_of_another_run(tmp_path):
    shared = {"dense": tmp_path / "dense.pt", "checkpoint": None}
    finished(replace(spec(tmp_path), **shared))
    with pytest.raises(TrainingError, match="dense.pt: was written by another run: seed 0 th"):
        finished(replace(spec(tmp_path, seed=1), **shared))


def test_a_checkpoint_of_another_run(tmp_path):
    finished(spec(tmp_path))
    other = TrainingRun(spec(tmp_path, batch=16, method="gradual"))
    with pytest.raises(TrainingError, match="batch 32 there, 16 here; .*pruner .*use the same opt"):
        other.resume()


def test_resuming_a_finished_run_trains_nothing(tmp_path):
    first = finished(spec(tmp_path))
    again = TrainingRun(spec(tmp_path))
    assert again.resume()
    again.run()
    assert again.state.final == first.state.final
    assert len(again.state.history) == 7


def test_nothing_to_resume(tmp_path):
    assert not TrainingRun(spec(tmp_path)).resume()
    assert not TrainingRun(replace(spec(tmp_path), checkpoint=None)).resume()


def test_without_retraining_batch_norms_are_settled(tmp_path):
    run = finished(spec(tmp_path, retrain_epochs=0, dense_epochs=8))
    assert run.state.final == run.state.projected


def test_fewer_tests(tmp_path):
    run = finished(replace(spec(tmp_path, retrain_epochs=3), evaluate_every=2))
    tested = ["test_top1" in row for row in run.state.history]
    assert tested == [False, True, False, True, True, False, True, True]


def test_distillation_changes_retraining_only(tmp_path):
    plain = finished(replace(spec(tmp_path), checkpoint=None))
    distilled = finished(replace(spec(tmp_path, distill=0.9), checkpoint=None))
    assert untimed(plain.state.history)[:5] == untimed(distilled.state.history)[:5]
    assert untimed(plain.state.history)[5:] != untimed(distilled.state.history)[5:]


def test_distillation_of_the_pruning_phase_too(tmp_path):
    later = finished(replace(spec(tmp_path, distill=0.9), checkpoint=None))
    both = finished(replace(spec(tmp_path, distill=0.9, distill_pruning=True), checkpoint=None))
    assert untimed(later.state.history)[:2] == untimed(both.state.history)[:2]
    assert later.state.history[2]["loss"] != both.state.history[2]["loss"]
    assert len(both.state.history) == 7


def test_a_teacher_of_another_run(tmp_path):
    """It may be another network; interrupted and resumed, the run comes to the same."""
    teacher_spec = replace(spec(tmp_path, method="dense"), network=WIDER, checkpoint=None)
    file = tmp_path / "network.pt"
    taught = halved(finished(replace(teacher_spec, result=file)).network.state_dict())
    given = read_trained_network(file, teacher_spec.data, torch.device("cpu"), factory=WIDER)
    assert given.name == "wider_net of 7 epochs"
    weights = given.network.state_dict()
    assert all(torch.equal(value.float(), weights[name].float()) for name, value in taught.items())
    alone = replace(spec(tmp_path, distill=0.9), checkpoint=None)
    described = replace(spec(tmp_path, distill=0.9), teacher=given)
    with pytest.raises(StoppedError):
        TrainingRun(described, note=stop_after(6)).run()
    resumed = TrainingRun(described)
    assert resumed.resume()
    resumed.run()
    assert same(resumed, finished(replace(described, checkpoint=None)))
    assert not same(resumed, finished(alone))
    with pytest.raises(TrainingError, match="teacher 'wider_net of 7 epochs' there, None here"):
        TrainingRun(replace(described, teacher=None)).resume()


def test_a_teacher_that_is_none(tmp_path):
    cpu = torch.device("cpu")
    described = replace(spec(tmp_path), result=tmp_path / "network.pt")
    with pytest.raises(TrainingError, match="network.pt: is not a checkpoint that can be read"):
        read_trained_network(tmp_path, described.data, cpu, factory=described.network)
    with pytest.raises(StoppedError):
        TrainingRun(described, note=stop_after(6)).run()
    with pytest.raises(TrainingError, match="not finished; continue it first with --resume"):
        read_trained_network(tmp_path, described.data, cpu, factory=described.network)
    with pytest.raises(TrainingError, match="checkpoint.pt: is not the checkpoint of a network"):
        read_trained_network(
            tmp_path / "checkpoint.pt", described.data, cpu, factory=described.network
        )
    finished(described)
    fewer = described.data.limited(20, None)
    with pytest.raises(TrainingError, match="another run: train_images 96 there, 20 here"):
        read_trained_network(tmp_path, fewer, cpu, factory=described.network)


def test_a_teacher_whose_network_has_changed(tmp_path):
    described = replace(spec(tmp_path), checkpoint=None, result=tmp_path / "network.pt")
    stored = load_network(finished(described).spec.result)
    save_network(described.result, replace(stored, facts={**stored.facts, "network": WIDER}))
    with pytest.raises(TrainingError, match="do not fit the network 'tests.*wider_net' as it is"):
        read_trained_network(described.result, described.data, torch.device("cpu"), factory=WIDER)


def test_bfloat16_computes_something_else_but_as_well(tmp_path):
    described = replace(spec(tmp_path, dense_epochs=12), checkpoint=None)
    computing = replace(described.computing, bfloat16=True)
    exact, mixed = finished(described), finished(replace(described, computing=computing))
    assert not same(exact, mixed)
    assert mixed.state.dense.top1 > 80
    assert all(value.dtype != torch.bfloat16 for value in mixed.network.state_dict().values())


def test_a_loss_that_explodes(tmp_path):
    with pytest.raises(TrainingError, match="dense, epoch .: the loss is not finite; lower the le"):
        finished(spec(tmp_path, lr=1e30))


def test_no_pruner_before_the_pruning_phase(tmp_path):
    with pytest.raises(TrainingError, match="nothing is pruned yet"):
        _ = TrainingRun(spec(tmp_path)).pruner


def test_the_checkpoint_is_plain_data(tmp_path):
    finished(spec(tmp_path, distill=0.5))
    stored = load_checkpoint(tmp_path / "checkpoint.pt", "run")
    assert stored["state"]["phase"] == 3


def test_the_user_names_what_a_teacher_imports(tmp_path):
    described = replace(spec(tmp_path, method="dense"), result=tmp_path / "network.pt")
    finished(described)
    with pytest.raises(TrainingError, match="is of the network .*, expected 'a:b'; if you trust"):
        read_trained_network(described.result, described.data, torch.device("cpu"), factory="a:b")


@pytest.mark.parametrize("broken", ["model", "facts", "state"])
def test_a_checkpoint_that_lacks_something(tmp_path, broken):
    described = spec(tmp_path)
    finished(described)
    stored = torch.load(described.checkpoint, weights_only=True)
    del stored[broken]
    torch.save(stored, described.checkpoint)
    with pytest.raises(TrainingError, match=f"or lacks something .KeyError: '{broken}'.; use the"):
        TrainingRun(described).resume()


def test_a_network_that_was_edited_since(tmp_path):
    described = spec(tmp_path)
    finished(described)
    stored = torch.load(described.checkpoint, weights_only=True)
    stored["model"].popitem()
    torch.save(stored, described.checkpoint)
    with pytest.raises(TrainingError, match="does not fit the network as it is now"):
        TrainingRun(described).resume()


def test_layers_that_are_not_there_are_told_before_anything_is_trained(tmp_path):
    described = spec(tmp_path)
    wrong = replace(described.pruner, prune=replace(described.pruner.prune, skip_layers=("nope",)))
    with pytest.raises(PruningError, match="skip_layers: the model has no convolution 'nope'"):
        TrainingRun(replace(described, pruner=wrong))
