import subprocess
import sys

import pytest

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.training.run_folder import run_folder


@pytest.mark.parametrize("name", ["checkpoint.pt", "pruned.onnx"])
def test_a_run_is_not_lost_by_mistake(tmp_path, name):
    (tmp_path / name).write_bytes(b"")
    with (
        pytest.raises(TrainingError, match=f"holds a run already .{name}.; --resume continues it"),
        run_folder(tmp_path, resume=False, overwrite=False),
    ):
        pytest.fail("it would be lost")
    for resume, overwrite in ((True, False), (False, True)):
        with run_folder(tmp_path, resume=resume, overwrite=overwrite):
            pass


def test_other_files_are_no_run(tmp_path):
    (tmp_path / "dense.pt").write_bytes(b"")
    with run_folder(tmp_path, resume=False, overwrite=False):
        pass


@pytest.mark.parametrize("overwrite", [False, True])
def test_one_process_at_a_time(tmp_path, overwrite):
    code = (
        "import sys; from pathlib import Path\n"
        "from tvm_patdnn.training.run_folder import run_folder\n"
        "with run_folder(Path(sys.argv[1]), resume=True, overwrite=False):\n"
        "    print('in', flush=True); sys.stdin.read()"
    )
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code, tmp_path], **pipes) as other:
        assert other.stdout.readline().strip() == b"in"
        with (
            pytest.raises(TrainingError, match="another process is training there; wait for it"),
            run_folder(tmp_path, resume=True, overwrite=overwrite),
        ):
            pytest.fail("two runs in a folder")
        other.kill()  # a lock does not outlive its process
    with run_folder(tmp_path, resume=True, overwrite=overwrite):
        pass
