import pytest
import torch

from tvm_patdnn.errors import BuildError, TrainingError
from tvm_patdnn.training.checkpoint import check_same, load_checkpoint, save_checkpoint


class Code:
    def __reduce__(self):
        return (print, ("executed",))


def test_round_trip(tmp_path):
    path = tmp_path / "c.pt"
    save_checkpoint(path, "run", {"seed": 1}, tensor=torch.arange(3), nested={"a": [1, (2,)]})
    stored = load_checkpoint(path, "run")
    assert stored["facts"] == {"seed": 1}
    assert stored["tensor"].tolist() == [0, 1, 2]
    assert stored["nested"] == {"a": [1, (2,)]}


def test_another_kind(tmp_path):
    save_checkpoint(tmp_path / "c.pt", "dense network", {})
    with pytest.raises(TrainingError, match="c.pt: is not the checkpoint of a run of this version"):
        load_checkpoint(tmp_path / "c.pt", "run")


def test_something_else(tmp_path):
    torch.save([1, 2], tmp_path / "c.pt")
    with pytest.raises(TrainingError, match="c.pt: is not the checkpoint of a run"):
        load_checkpoint(tmp_path / "c.pt", "run")


@pytest.mark.parametrize("stored", [b"", b"nonsense", None])
def test_broken_files(tmp_path, stored):
    if stored is not None:
        (tmp_path / "c.pt").write_bytes(stored)
    with pytest.raises(TrainingError, match="c.pt: is not a checkpoint that can be read: "):
        load_checkpoint(tmp_path / "c.pt", "run")


def test_code_in_a_file_is_not_executed(tmp_path, capsys):
    torch.save({"format": 1, "kind": "run", "code": Code()}, tmp_path / "c.pt")
    with pytest.raises(TrainingError, match="is not a checkpoint that can be read"):
        load_checkpoint(tmp_path / "c.pt", "run")
    assert capsys.readouterr().out == ""


def test_a_file_that_cannot_be_written_keeps_the_old_one(tmp_path):
    path = tmp_path / "c.pt"
    save_checkpoint(path, "run", {"seed": 1})
    with pytest.raises(Exception, match="pickle"):
        save_checkpoint(path, "run", {}, wrong=lambda: None)
    assert load_checkpoint(path, "run")["facts"] == {"seed": 1}
    with pytest.raises(BuildError, match="cannot be written"):
        save_checkpoint(tmp_path / "no" / "c.pt", "run", {})


def test_differences_are_listed(tmp_path):
    stored = {"seed": 1, "batch": 2, "more": 3}
    check_same(tmp_path, stored, {"seed": 1, "batch": 2})
    with pytest.raises(TrainingError, match="batch 2 there, 4 here; lr None there, 0.1 here; use"):
        check_same(tmp_path, stored, {"seed": 1, "batch": 4, "lr": 0.1})
