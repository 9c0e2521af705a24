from pathlib import Path

import pytest

from tests.training.samples import dense, row
from tvm_patdnn.errors import PlotError, TrainingError
from tvm_patdnn.training.accuracy.latencies import Latencies, structure
from tvm_patdnn.training.accuracy.page import accuracy_page, write_report
from tvm_patdnn.training.accuracy.runs_page import runs_page


def cells(page, method):
    line = next(line for line in page.splitlines() if line.startswith(f"| {method} |"))
    return [cell.strip() for cell in line.split("|")[1:-1]]


def times(**milliseconds):
    return Latencies(
        milliseconds=milliseconds.pop("of"),
        device="a phone",
        threads=2,
        date="2026-11-25T10:00:00+00:00",
        versions={"tvm-patdnn": "0.1.0"},
    )


def test_means_over_seeds_and_the_difference_to_the_dense_control():
    """By seed: 89.5 - 90.4 and 89.9 - 90.0, mean -0.5, half a range of 12.706 * 0.4."""
    page = accuracy_page(
        [row(), dense(), row(seed=1, top1_pruned=89.9), dense(seed=1, top1_pruned=90.0)]
    )
    assert cells(page, "ADMM") == [
        *("ADMM", "3.6x", "2", "89.70 ± 0.28", "-0.50 [-5.58, +4.58]", "", "8.10x", "7.47x"),
    ]
    assert cells(page, "dense, trained on")[2:6] == ["2", "90.20 ± 0.28", "", ""]
    assert "## resnet20, CIFAR-10 (JPEG), 50,000 training images, 20 epochs" in page
    assert "10 dense, 6 pruning, 4 retraining" in page
    assert "start from have 90.00 ± 0.00 top-1" in page
    assert "re-encoded as JPEG" in page


def test_a_seed_without_a_control_does_not_count_in_the_difference():
    page = accuracy_page([row(), dense(), row(seed=1, top1_pruned=10.0)])
    assert cells(page, "ADMM")[4] == "-0.90"
    assert cells(accuracy_page([row()]), "ADMM")[4] == "not measured"


def test_a_control_of_other_epochs_or_of_another_machine_is_none():
    page = accuracy_page([row(), dense(retrain_epochs=9)])
    assert cells(page, "ADMM")[4] == "not measured"
    assert "25 epochs" in page
    page = accuracy_page([row(), dense(device="another CPU")])
    assert cells(page, "ADMM")[4] == "not measured"


def test_a_seed_on_two_machines_makes_two_pairs():
    other = {"device": "another CPU"}
    page = accuracy_page([row(), dense(), row(**other, top1_pruned=90.0), dense(**other)])
    assert cells(page, "ADMM")[2:4] == ["2", "89.75 ± 0.35"]
    assert cells(page, "ADMM")[4].startswith("-0.65 [")


def test_the_dense_control_with_and_without_the_teacher():
    taught = {"distill": 0.5, "teacher": "big of 9 epochs"}
    page = accuracy_page([dense(), row(), row(**taught), dense(**taught, top1_pruned=91.0)])
    assert cells(page, "ADMM")[4:6] == ["-0.90", ""]
    assert cells(page, "ADMM with distillation from big of 9 epochs")[4:6] == ["-0.90", "-1.50"]
    control = "dense, trained on with distillation from big of 9 epochs"
    assert cells(page, control)[3:6] == ["91.00", "+0.60", ""]
    assert cells(page, "dense, trained on")[4:6] == ["", ""]
    page = accuracy_page([dense(), row(**taught), dense(distill=0.5, teacher="small of 9 epochs")])
    assert cells(page, "ADMM with distillation from big of 9 epochs")[5] == "not measured"


def test_of_equal_runs_the_last_counts():
    page = accuracy_page([row(top1_pruned=1.0), row(top1_pruned=88.0)])
    assert cells(page, "ADMM")[2:4] == ["1", "88.00"]


def test_single_changes_have_a_table():
    free = [row(seed=seed) for seed in (0, 1)]
    blocks = [row(seed=s, filter_block=4, top1_pruned=89.5 + d) for s, d in ((0, 0.1), (1, -0.3))]
    page = accuracy_page([*free, *blocks])
    assert cells(page, "blocks of 4 filters")[1:] == ["ADMM, 3.6x", "2", "-0.10 [-2.64, +2.44]"]
    assert "What one change brings" in page
    assert "What one change brings" not in accuracy_page(free)


def test_latencies_beside_the_accuracies(tmp_path):
    pytest.importorskip("matplotlib")
    rows = [row(), dense(), row(filter_block=4)]
    latencies = times(of={structure(rows[0]): 0.5, structure(rows[1]): 2.25})
    page = accuracy_page(rows, latencies=latencies)
    assert cells(page, "ADMM")[-1] == "0.50 ms"
    assert cells(page, "dense, trained on")[-1] == "2.25 ms"
    assert cells(page, "ADMM, blocks of 4 filters")[-1] == ""
    assert "a phone, 2 threads, 2026-11-25, tvm-patdnn 0.1.0" in page
    assert "(accuracy/resnet20.svg)" in page
    assert "latency" not in accuracy_page(rows).lower()
    files = write_report(rows, tmp_path / "accuracy.md", latencies)
    assert files[-1] == tmp_path / "accuracy" / "resnet20.svg"
    assert all(file.is_file() for file in files)


def test_each_table_of_a_network_has_a_plot_of_its_own(tmp_path):
    pytest.importorskip("matplotlib")
    rows = [row(train_images=images) for images in (8000, 50_000)]
    latencies = times(of={structure(rows[0]): 0.5})
    page, _, *plots = write_report(rows, tmp_path / "accuracy.md", latencies)
    assert [plot.name for plot in plots] == ["resnet20.svg", "resnet20-2.svg"]
    assert all(f"(accuracy/{plot.name})" in page.read_text() for plot in plots)


def test_a_plot_needs_matplotlib(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "matplotlib.figure", None)
    with pytest.raises(PlotError, match="resnet20.svg: plots need matplotlib"):
        write_report([row()], tmp_path / "a.md", times(of={structure(row()): 1.0}))
    assert not (tmp_path / "a.md").exists()
    write_report([row()], tmp_path / "a.md")


def test_every_run_is_on_the_page_of_runs():
    other = {"device": "another CPU", "command": "tvm-patdnn train --seed 1"}
    rows = [row(settings={"rho": 0.1}, versions={"torch": "2"}), dense(seconds=7200.0)]
    page = runs_page([*rows, row(seed=1, settings={"rho": 0.1}, **other)])
    assert "### ADMM, 3.6x" in page
    assert "### dense, trained on\n" in page
    assert "Settings: rho 0.1, torch 2." in page
    assert cells(page, "a CPU, 2 threads")[1:] == [
        *("2026-11-22", "0", "90.00", "70.00", "89.50", "0.03"),
    ]
    assert cells(page, "another CPU, 2 threads")[2] == "1"
    assert "    tvm-patdnn train --seed 1\n" in page
    assert "| 0 | 90.00 |  | 90.40 | 2.00 |" in page


def test_equal_names_are_told_apart():
    rows = [row(settings={"rho": rho, "lr": 0.1}, top1_pruned=89 + rho) for rho in (0.25, 0.5)]
    page = accuracy_page([*rows, row(method="oneshot", settings={"rho": 0.75, "lr": 0.1})])
    assert cells(page, "ADMM (rho 0.25)")[3] == "89.25"
    assert cells(page, "ADMM (rho 0.5)")[3] == "89.50"
    assert cells(page, "one-shot magnitude")


def test_networks_have_sections_of_their_own():
    page = accuracy_page([row(), row(network="models.small:small_vgg", data="Fashion")])
    assert page.index("## resnet20") < page.index("## small_vgg, Fashion")


def test_the_page_is_written(tmp_path):
    page = tmp_path / "accuracy.md"
    assert write_report([row()], page) == [page, tmp_path / "accuracy" / "runs.md"]
    assert page.read_text() == accuracy_page([row()], page)
    assert (tmp_path / "accuracy" / "runs.md").read_text() == runs_page([row()])
    with pytest.raises(TrainingError, match="there are no rows to report"):
        write_report([], page)


def test_the_pages_of_the_repository_are_those_of_its_rows():
    from tvm_patdnn.training.accuracy.latencies import read_latencies
    from tvm_patdnn.training.rows import read_rows

    docs = Path(__file__).parents[3] / "docs"
    stored = docs / "accuracy" / "latencies.json"
    latencies = read_latencies(stored) if stored.is_file() else None
    rows = read_rows(sorted((docs / "accuracy").glob("*.jsonl")))
    page = docs / "accuracy.md"
    assert page.read_text() == accuracy_page(rows, page, latencies)
    assert (docs / "accuracy" / "runs.md").read_text() == runs_page(rows)
