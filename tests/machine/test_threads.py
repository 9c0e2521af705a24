import os

from tvm_patdnn.machine.cores import physical_cores
from tvm_patdnn.machine.threads import use_all_cores


def test_the_users_choice_stays(monkeypatch):
    monkeypatch.setenv("TVM_NUM_THREADS", "1")
    use_all_cores()
    assert os.environ["TVM_NUM_THREADS"] == "1"
    monkeypatch.delenv("TVM_NUM_THREADS")
    use_all_cores()
    assert os.environ["TVM_NUM_THREADS"] == str(physical_cores())
