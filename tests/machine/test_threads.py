import os

import pytest

from tvm_patdnn.machine import threads
from tvm_patdnn.machine.threads import physical_cores, use_all_cores

needs_affinity = pytest.mark.skipif(
    not hasattr(os, "sched_getaffinity"), reason="only Linux tells which CPUs a process may use"
)


@pytest.fixture
def cpus(tmp_path, monkeypatch):
    """Describes CPUs by their siblings; the process may use ``allowed``."""

    def describe(siblings, allowed):
        for cpu, text in enumerate(siblings):
            folder = tmp_path / f"cpu{cpu}" / "topology"
            folder.mkdir(parents=True)
            (folder / "thread_siblings_list").write_text(text + "\n")
        monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(allowed))
        return tmp_path

    return describe


@needs_affinity
def test_two_threads_of_a_core_count_once(cpus):
    assert physical_cores(cpus(["0,2", "1,3", "0,2", "1,3"], allowed=range(4))) == 2


@needs_affinity
def test_only_the_cores_of_the_process_count(cpus):
    assert physical_cores(cpus(["0", "1", "2", "3"], allowed=[1, 3])) == 2


@needs_affinity
def test_without_a_description(tmp_path, monkeypatch):
    monkeypatch.setattr(threads, "host_cores", lambda: 5)
    assert physical_cores(tmp_path) == 5


def test_on_other_systems(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(threads, "host_cores", lambda: 7)
    assert physical_cores() == 7


def test_the_users_choice_stays(monkeypatch):
    monkeypatch.setenv("TVM_NUM_THREADS", "1")
    use_all_cores()
    assert os.environ["TVM_NUM_THREADS"] == "1"
    monkeypatch.delenv("TVM_NUM_THREADS")
    use_all_cores()
    assert os.environ["TVM_NUM_THREADS"] == str(physical_cores())
