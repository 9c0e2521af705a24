import os
from pathlib import Path

import pytest

from tvm_patdnn.machine.cores import choose_cpus, physical_cores

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
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(5)))
    assert physical_cores(tmp_path) == 5


def test_on_other_systems(monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 7)
    assert physical_cores() == 7


@pytest.fixture
def two_cores(tmp_path, monkeypatch) -> Path:
    """Four CPUs: 0 and 1 on one core, 2 and 3 on another."""
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)
    for cpu, siblings in enumerate(["0-1", "0-1", "2-3", "2-3"]):
        topology = tmp_path / f"cpu{cpu}" / "topology"
        topology.mkdir(parents=True)
        (topology / "thread_siblings_list").write_text(f"{siblings}\n")
    return tmp_path


@pytest.mark.parametrize(
    ("threads", "chosen"), [(1, (0,)), (2, (0, 2)), (3, (0, 1, 2)), (9, (0, 1, 2, 3))]
)
def test_cores_are_shared_only_when_there_are_no_more(two_cores, threads, chosen):
    assert choose_cpus(threads, two_cores) == chosen


def test_without_a_description_each_cpu_is_a_core(tmp_path, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {5, 7}, raising=False)
    assert choose_cpus(1, tmp_path) == (5,)


def test_without_affinity_all_are_used(monkeypatch):
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    assert choose_cpus(2) == ()
