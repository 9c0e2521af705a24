from pathlib import Path

import pytest

from tvm_patdnn.bench.machine import choose_cpus, cpu_name


@pytest.fixture
def cpus(tmp_path, monkeypatch) -> Path:
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
def test_cores_are_shared_only_when_there_are_no_more(cpus, threads, chosen):
    assert choose_cpus(threads, cpus) == chosen


def test_without_a_description_each_cpu_is_a_core(tmp_path, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {5, 7}, raising=False)
    assert choose_cpus(1, tmp_path) == (5,)


def test_without_affinity_all_are_used(monkeypatch):
    monkeypatch.delattr("os.sched_getaffinity", raising=False)
    assert choose_cpus(2) == ()


def test_the_cpu_is_named_with_its_number(tmp_path, monkeypatch):
    monkeypatch.setattr("os.sched_getaffinity", lambda _: {0, 1}, raising=False)
    (tmp_path / "cpuinfo").write_text("flags\t: fpu\nmodel name\t: Some   CPU @ 2 GHz\n")
    assert cpu_name(tmp_path / "cpuinfo") == "Some CPU @ 2 GHz, 2 CPUs"
    assert cpu_name(tmp_path / "none").endswith(", 2 CPUs")
