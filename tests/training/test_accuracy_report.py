import pytest

from tests.training.samples import dense, row
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.accuracy_report import accuracy_page, write_report


def cells(page, method):
    line = next(line for line in page.splitlines() if line.startswith(f"| {method} |"))
    return [cell.strip() for cell in line.split("|")[1:-1]]


def test_means_over_seeds_and_the_difference_to_the_dense_control():
    """By seed: 89.5 - 90.4 and 89.9 - 90.0."""
    page = accuracy_page(
        [row(), dense(), row(seed=1, top1_pruned=89.9), dense(seed=1, top1_pruned=90.0)]
    )
    assert cells(page, "ADMM") == [
        *("ADMM", "3.6x", "2", "89.70 ± 0.28", "-0.50 ± 0.57", "70.00 ± 0.00"),
        *("7.47x", "7.92x", "8.10x"),
    ]
    assert cells(page, "dense, trained on")[2:6] == ["2", "90.20 ± 0.28", "", ""]
    assert "## resnet20, CIFAR-10 (JPEG), 50,000 training images, 20 epochs" in page
    assert "10 dense, 6 pruning, 4 retraining" in page
    assert "re-encoded as JPEG" in page


def test_a_seed_without_a_control_does_not_count_in_the_difference():
    page = accuracy_page([row(), dense(), row(seed=1, top1_pruned=10.0)])
    assert cells(page, "ADMM")[4] == "-0.90"
    assert cells(accuracy_page([row()]), "ADMM")[4] == "not measured"


def test_a_control_of_other_epochs_is_none():
    page = accuracy_page([row(), dense(retrain_epochs=9)])
    assert cells(page, "ADMM")[4] == "not measured"
    assert "25 epochs" in page


def test_a_dense_network_with_a_teacher_is_no_control():
    page = accuracy_page([dense(), row(), dense(distill=0.5, top1_pruned=91.0)])
    assert cells(page, "ADMM")[4] == "-0.90"
    assert cells(page, "dense, trained on with distillation")[3:5] == ["91.00", "+0.60"]
    assert cells(page, "dense, trained on")[4] == ""


def test_of_equal_runs_the_last_counts():
    page = accuracy_page([row(top1_pruned=1.0), row(top1_pruned=88.0)])
    assert cells(page, "ADMM")[2:4] == ["1", "88.00"]


def test_balanced_against_free():
    page = accuracy_page([row(), row(scope="balanced", top1_pruned=89.2)])
    assert cells(page, "ADMM, balanced")[3] == "89.20"
    assert "Balanced against free connectivity (ADMM, 3.6x): -0.30 points of top-1 over 1" in page


def test_blocks_of_filters_against_free():
    free = row(connectivity=1.0)
    blocks = row(connectivity=1.0, filter_block=4, top1_pruned=free.top1_pruned + 0.2)
    page = accuracy_page([free, blocks])
    assert cells(page, "ADMM, blocks of 4 filters")[3] == f"{blocks.top1_pruned:.2f}"
    assert "Blocks of 4 filters against free connectivity (ADMM, patterns only): +0.20" in page


def test_blocks_of_similar_filters_are_others_than_those_of_neighbours():
    neighbours = row(filter_block=4, top1_pruned=88.0)
    similar = row(filter_block=4, filter_grouping="similar", top1_pruned=89.0)
    page = accuracy_page([row(top1_pruned=89.2), neighbours, similar])
    assert cells(page, "ADMM, blocks of 4 filters")[3] == "88.00"
    assert cells(page, "ADMM, blocks of 4 similar filters")[3] == "89.00"
    assert "Blocks of 4 similar filters against free connectivity (ADMM, 3.6x): -0.20" in page


def test_names():
    rows = [
        row(connectivity=1.0, top1_pruned=1.0),
        row(distill=0.5, top1_pruned=2.0),
        row(distill=0.5, teacher="big of 9 epochs", top1_pruned=7.0),
        row(rates={"a": 2.0}, top1_pruned=3.0),
        row(method="filter", scope="balanced", top1_pruned=4.0),
        row(method="unstructured", top1_pruned=5.0),
        row(method="oneshot", top1_pruned=6.0),
        row(method="gradual", scope="global", top1_pruned=7.0),
        row(rewind=2, top1_pruned=8.0),
        row(rewind="fresh", top1_pruned=9.0),
    ]
    page = accuracy_page(rows)
    assert cells(page, "ADMM")[1] == "patterns only"
    assert cells(page, "ADMM with distillation")[3] == "2.00"
    assert cells(page, "ADMM with distillation from big of 9 epochs")[3] == "7.00"
    assert cells(page, "ADMM, rates by layer")[1] == "by layer"
    assert cells(page, "filter pruning")[3] == "4.00"
    assert cells(page, "unstructured magnitude")[3] == "5.00"
    assert cells(page, "one-shot magnitude")[3] == "6.00"
    assert cells(page, "gradual magnitude (cubic), global")[3] == "7.00"
    assert cells(page, "ADMM, retrained from epoch 2")[3] == "8.00"
    assert cells(page, "ADMM, retrained from fresh weights")[3] == "9.00"


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
    write_report([row()], page)
    assert page.read_text() == accuracy_page([row()])
    with pytest.raises(TrainingError, match="there are no rows to report"):
        write_report([], page)
