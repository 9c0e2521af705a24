import pytest

from tests.training.samples import row
from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.rows import append_row, read_rows


def test_rows_are_appended_and_read_back(tmp_path):
    path = tmp_path / "rows.jsonl"
    rows = [row(), row(seed=1, rates={"a": 2.0}, settings={"lr": 0.1})]
    for each in rows:
        append_row(each, path)
    assert read_rows([path]) == rows
    assert read_rows([path, path]) == rows * 2
    assert rows[0].epochs == 20


def test_fields_of_later_versions_are_passed_over(tmp_path):
    path = tmp_path / "rows.jsonl"
    append_row(row(), path)
    path.write_text(path.read_text().replace("{", '{"later": 1, ', 1))
    assert read_rows([path]) == [row()]


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"network": "n"}'])
def test_no_row(tmp_path, line):
    path = tmp_path / "rows.jsonl"
    append_row(row(), path)
    with path.open("a") as file:
        file.write(f"\n{line}\n")
    with pytest.raises(TrainingError, match="rows.jsonl:3: is not a row of a training run: "):
        read_rows([path])


def test_no_file(tmp_path):
    with pytest.raises(TrainingError, match="none.jsonl: cannot be read: "):
        read_rows([tmp_path / "none.jsonl"])
