import subprocess
import sys

import pytest

from tvm_patdnn.row_file import append_lines


def test_earlier_rows_stay(tmp_path):
    path = tmp_path / "rows.jsonl"
    append_lines(path, [])
    assert path.read_bytes() == b""
    append_lines(path, ["first"])
    append_lines(path, ["second", "größer"])
    assert path.read_text(encoding="utf-8") == "first\nsecond\ngrößer\n"


def test_half_a_line_stays_alone(tmp_path):
    path = tmp_path / "rows.jsonl"
    path.write_text('{"half": ')
    append_lines(path, ["whole"])
    assert path.read_text() == '{"half": \nwhole\n'


def test_a_folder_that_does_not_exist(tmp_path):
    with pytest.raises(OSError):
        append_lines(tmp_path / "none" / "rows.jsonl", ["row"])
    with pytest.raises(OSError):
        append_lines(tmp_path, ["row"])


def test_processes_do_not_mix_their_lines(tmp_path):
    path, each, processes = tmp_path / "rows.jsonl", 40, 4
    code = (
        "import sys; from pathlib import Path; from tvm_patdnn.row_file import append_lines\n"
        f"for i in range({each}): append_lines(Path(sys.argv[1]), [sys.argv[2] * 30000] * 2)"
    )
    started = [
        subprocess.Popen([sys.executable, "-c", code, path, str(number)])
        for number in range(processes)
    ]
    assert [process.wait() for process in started] == [0] * processes
    lines = path.read_text().splitlines()
    assert sorted(lines) == [str(n) * 30000 for n in range(processes) for _ in range(2 * each)]
    assert lines[::2] == lines[1::2]
