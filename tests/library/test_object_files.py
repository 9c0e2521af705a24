import os
import subprocess
import sys
import tempfile

import pytest

from tests.built import inputs, library, require_linker
from tvm_patdnn.errors import BuildError
from tvm_patdnn.library.library import load
from tvm_patdnn.library.object_files import check_file_size, objects_in_memory

resource = pytest.importorskip("resource")


@pytest.fixture
def limited():
    """Limits the size of files, as a full disk does."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    yield lambda size: resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def full(tmp_path):
    """A folder on a disk that is full."""
    folder = tmp_path / "full"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=16k", "none", folder]
    if subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root can mount a small disk")
    yield folder
    subprocess.run(["umount", folder], check=True)


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="no files in memory on this system")
def test_files_in_memory_are_gone_afterwards(tmp_path):
    with objects_in_memory(tmp_path, ["a.o", "b.o"]):
        (tmp_path / "a.o").write_bytes(b"code")
        code = "import sys; print(open(sys.argv[1]).read())"
        words = [sys.executable, "-c", code, tmp_path / "a.o"]
        assert subprocess.run(words, capture_output=True, check=True).stdout == b"code\n"
    assert not (tmp_path / "a.o").exists()  # a link to nothing


def test_a_limit_of_file_sizes_is_told(limited, tmp_path):
    """LLVM would end the process."""
    require_linker(library())
    limited(8192)
    with pytest.raises(BuildError, match="may have at most 8192 bytes, but .*; raise the limit"):
        library().export_library(tmp_path / "model.so")
    assert list(tmp_path.iterdir()) == []


def test_without_a_limit_nobody_is_asked():
    check_file_size(lambda: pytest.fail("was asked"))


@pytest.mark.skipif(not hasattr(os, "memfd_create"), reason="no files in memory on this system")
def test_a_full_disk_is_told(full):
    require_linker(library())
    with pytest.raises(BuildError, match="No space left on device|linking for .*: exit status"):
        library().export_library(full / "model.so")
    assert list(full.iterdir()) == []


def test_a_full_folder_of_temporary_files_is_no_matter(full, tmp_path, monkeypatch):
    require_linker(library())
    (full / "filler").write_bytes(bytes(16384))
    monkeypatch.setenv("TMPDIR", str(full))
    monkeypatch.setattr(tempfile, "tempdir", str(full))
    library().export_library(tmp_path / "model.so")
    monkeypatch.undo()
    assert (load(tmp_path / "model.so").run(inputs())["y"] == library().run(inputs())["y"]).all()
