import os
import random

import pytest

from tvm_patdnn.errors import LibraryError
from tvm_patdnn.library.seal import KINDS, STANDALONE, VM, check_seal, seal

CONTENT = bytes(random.Random(0).randbytes(3000))


@pytest.fixture
def sealed(tmp_path):
    path = tmp_path / "model.so"
    path.write_bytes(CONTENT)
    seal(path, VM)
    return path


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_sealed_is_whole(tmp_path, kind):
    path = tmp_path / "model.so"
    path.write_bytes(CONTENT)
    seal(path, kind)
    found = check_seal(path)
    assert (found.kind, found.size) == (kind, len(CONTENT))
    assert path.read_bytes()[: found.size] == CONTENT


def test_every_truncation_is_noticed(sealed):
    whole = sealed.read_bytes()
    for length in range(len(whole)):
        sealed.write_bytes(whole[:length])
        with pytest.raises(LibraryError, match="model.so: does not end as a library does: it is"):
            check_seal(sealed)


def test_every_damaged_byte_is_noticed(sealed):
    whole = sealed.read_bytes()
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        sealed.write_bytes(damaged)
        with pytest.raises(LibraryError, match="damaged: its checksum is|does not end|of kind"):
            check_seal(sealed)


@pytest.mark.parametrize("more", [b"x", CONTENT])
def test_what_is_appended_is_noticed(sealed, more):
    sealed.write_bytes(sealed.read_bytes() + more)
    with pytest.raises(LibraryError, match="or another version wrote it; copy it again, or build"):
        check_seal(sealed)


def test_another_kind_is_told(sealed):
    with pytest.raises(
        LibraryError, match="is a library of kind 'vm', expected standalone; build it again as"
    ):
        check_seal(sealed, (STANDALONE,))


def test_no_file(tmp_path):
    with pytest.raises(LibraryError, match="none.so: cannot be read: No such file or directory"):
        check_seal(tmp_path / "none.so")


def test_large_files_are_read_in_pieces(tmp_path):
    path = tmp_path / "model.so"
    path.write_bytes(os.urandom(3 << 20))
    seal(path, VM)
    assert check_seal(path).size == 3 << 20


@pytest.fixture
def with_weights(tmp_path):
    """A library of which the bytes 1000 to 1500 are weights; its name is "net"."""
    path, weights = tmp_path / "model.so", tmp_path / "weights.bin"
    path.write_bytes(CONTENT)
    weights.write_bytes(CONTENT[1000:1500])
    seal(path, STANDALONE, "net", weights)
    return path


def test_weights_with_a_checksum_of_their_own(with_weights):
    for weights in (False, True):
        found = check_seal(with_weights, weights=weights)
        assert (found.name, found.kind, found.size) == ("net", STANDALONE, len(CONTENT))
        assert (found.weights, found.weights_size) == (1000, 500)


def test_damaged_weights_are_noticed_on_request_the_rest_always(with_weights):
    whole = with_weights.read_bytes()
    for position in range(0, len(whole), 7):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        with_weights.write_bytes(damaged)
        if 1000 <= position < 1500:
            check_seal(with_weights)
        else:
            with pytest.raises(LibraryError):
                check_seal(with_weights)
        with pytest.raises(LibraryError, match="damaged: its checksum is|does not end|of kind"):
            check_seal(with_weights, weights=True)


def test_a_truncation_within_the_weights_is_noticed(with_weights):
    whole = with_weights.read_bytes()
    for length in (999, 1200, 1500, len(whole) - 1):
        with_weights.write_bytes(whole[:length])
        with pytest.raises(LibraryError, match="does not end as a library does"):
            check_seal(with_weights)


def test_weights_that_are_not_in_the_library(sealed, tmp_path):
    (tmp_path / "weights.bin").write_bytes(b"others")
    with pytest.raises(ValueError, match="does not hold the content of"):
        seal(sealed, STANDALONE, "net", tmp_path / "weights.bin")
