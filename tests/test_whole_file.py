import pytest

from tvm_patdnn.errors import BuildError
from tvm_patdnn.whole_file import check_writable, write_whole


def test_the_file_appears_when_all_is_written(tmp_path):
    path = tmp_path / "out.so"
    with write_whole(path) as partial:
        partial.write_bytes(b"new")
        assert not path.exists()
        assert partial.name == path.name  # a linker may store the name
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_an_old_file_is_replaced(tmp_path):
    path = tmp_path / "out.so"
    path.write_bytes(b"old")
    with write_whole(path) as partial:
        partial.write_bytes(b"new")
    assert path.read_bytes() == b"new"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_an_error_leaves_what_was_there(tmp_path, error):
    path = tmp_path / "out.so"
    path.write_bytes(b"old")

    def write():
        with write_whole(path) as partial:
            partial.write_bytes(b"half")
            raise error

    with pytest.raises(error):
        write()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_written_is_an_error(tmp_path):
    with (
        pytest.raises(BuildError, match="out.so: cannot be written: No such file"),
        write_whole(tmp_path / "out.so"),
    ):
        pass
    assert list(tmp_path.iterdir()) == []


@pytest.fixture
def refused(tmp_path):
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "folder").mkdir()
    return {
        tmp_path / "none" / "out.so": "cannot be written: No such file or directory; give a path",
        tmp_path / "file" / "out.so": "cannot be written: Not a directory; give a path in a fold",
        tmp_path / "folder": "folder: cannot be written: it is a directory; give the path of a",
    }


def test_impossible_paths_are_refused_at_once(refused):
    for path, message in refused.items():
        with pytest.raises(BuildError, match=message):
            check_writable(path)
        with pytest.raises(BuildError, match=message), write_whole(path):
            pytest.fail("got a path to write to")


def test_checking_leaves_nothing(tmp_path):
    check_writable(tmp_path / "out.so")
    assert list(tmp_path.iterdir()) == []
