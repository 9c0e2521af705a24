import ctypes
import os
import shutil

import pytest

from tests.built import standalone_library
from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.fresh_name import fresh_name


@pytest.fixture
def path(tmp_path):
    return shutil.copyfile(standalone_library(), tmp_path / "model.so")


def test_a_file_that_nothing_has_loaded_has_its_own_name(path, monkeypatch):
    monkeypatch.chdir(path.parent)
    with fresh_name(type(path)("model.so"), 1) as name:
        assert name == path.resolve()


def test_a_file_that_is_loaded_by_whomever_has_another(path):
    loaded = ctypes.CDLL(str(path))
    with fresh_name(path, 1) as name:
        assert loaded is not None
        assert name != path
        assert name.resolve() == path


def test_a_file_that_took_the_place_of_a_loaded_one_has_another(path):
    loaded = ctypes.CDLL(str(path))
    os.unlink(path)
    shutil.copyfile(standalone_library(), path)
    with fresh_name(path, 1) as name:
        assert loaded is not None
        assert name != path


def test_a_file_that_was_written_over_is_copied(path):
    with fresh_name(path, 1):
        pass
    with fresh_name(path, 2) as name:
        assert name.resolve() != path
        assert name.read_bytes() == path.read_bytes()


def test_a_loader_sees_the_usual_ending(path):
    other = path.rename(path.with_name("any.name"))
    with fresh_name(other, 1) as name:
        assert name.suffix == ".so"
        assert name.resolve() == other


def test_where_the_system_does_not_tell_what_is_loaded(path, monkeypatch):
    monkeypatch.setattr("tvm_patdnn.library.fresh_name._MAPS", path.parent / "none")
    with fresh_name(path, 1) as name:
        assert name != path


def test_no_folder_for_another_name(path, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "none"))
    with (
        pytest.raises(LibraryError, match="model.so: cannot be loaded: no temporary file"),
        fresh_name(path, 1),
        fresh_name(path, 1),
    ):
        pass
