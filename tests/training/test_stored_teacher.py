from dataclasses import replace

import pytest
import torch

from tests.training.runs import spec
from tests.training.tiny import example, tiny_net
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.distillation import Teacher
from tvm_patdnn.training.run import TrainingRun
from tvm_patdnn.training.stored_teacher import StoredTeacher


def stored(net, folder, **changes):
    return StoredTeacher(net, 0.9, 4.0, **{"folder": folder, "run": "a run", **changes})


def told(teacher, epoch, images):
    teacher.begin(f"retrain, epoch {epoch}")
    scores = [teacher.wanted(each) for each in images]
    teacher.end()
    return torch.cat(scores)


@pytest.fixture
def forbidden(monkeypatch):
    """From now on no teacher computes anything."""

    def forbid():
        monkeypatch.setattr(Teacher, "wanted", lambda self, images: pytest.fail("computed"))

    return forbid


def test_a_second_run_computes_nothing(net, tmp_path, forbidden):
    images = [example(3), example(2) + 1]
    first = told(stored(net, tmp_path / "new"), 0, images)
    assert torch.equal(first, told(Teacher(net, 0.9, 4.0), 0, images))
    forbidden()
    assert torch.equal(told(stored(net, tmp_path / "new"), 0, images), first)


def test_other_images_networks_epochs_and_runs_are_told_apart(net, tmp_path, monkeypatch):
    computed = []
    wanted = Teacher.wanted
    monkeypatch.setattr(
        Teacher, "wanted", lambda self, images: computed.append(1) or wanted(self, images)
    )
    told(stored(net, tmp_path), 0, [example()])
    told(stored(net, tmp_path), 1, [example()])
    told(stored(net, tmp_path, run="another"), 0, [example()])
    told(stored(tiny_net(), tmp_path), 0, [example()])
    assert (len(computed), len(list(tmp_path.iterdir()))) == (4, 4)
    told(stored(net, tmp_path), 0, [example() + 1])
    assert len(computed) == 5
    assert torch.equal(
        told(stored(net, tmp_path), 0, [example() + 1]),
        wanted(stored(net, tmp_path), example() + 1),
    )
    assert len(computed) == 5


def test_an_epoch_that_was_not_ended_leaves_no_file(net, tmp_path):
    teacher = stored(net, tmp_path)
    teacher.begin("retrain, epoch 0")
    teacher.wanted(example())
    assert not list(tmp_path.iterdir())


def test_a_broken_file_is_named(net, tmp_path):
    told(stored(net, tmp_path), 0, [example()])
    next(iter(tmp_path.iterdir())).write_bytes(b"nonsense")
    with pytest.raises(TrainingError, match=r"\.pt: is not a checkpoint that can be read"):
        told(stored(net, tmp_path), 0, [example()])


def test_a_run_comes_to_the_same_with_and_without(tmp_path, forbidden):
    settings = {"distill": 0.9, "distill_pruning": True}
    described = replace(spec(tmp_path, **settings), checkpoint=None)
    kept = replace(described, teacher_scores=tmp_path / "scores")
    runs = [TrainingRun(each) for each in (described, kept)]
    for run in runs:
        run.run()
    assert len(list((tmp_path / "scores").iterdir())) == 5
    forbidden()
    runs.append(TrainingRun(kept))
    runs[-1].run()
    states = [run.network.state_dict() for run in runs]
    for name, value in states[0].items():
        assert all(torch.equal(value, state[name]) for state in states)
