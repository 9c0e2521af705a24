"""The last bytes of a library: what it is, and a checksum of all that comes before.

The loader maps a file without reading it, so a truncated or damaged one would crash, or
compute something else. Loaders take no notice of what stands behind a shared library. A
library without TVM is loaded faster than its weights are read: they have a checksum apart.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tvm_patdnn.errors import LibraryError

if TYPE_CHECKING:
    import mmap

__all__ = ["KINDS", "STANDALONE", "VM", "Seal", "check_seal", "seal"]

VM = "vm"  # runs in TVM's virtual machine
STANDALONE = "standalone"  # runs without TVM
KINDS = (VM, STANDALONE)

_MAGIC = b"tvm-patdnn seal\n"
# The magic, the kind, the name, the bytes before the seal; offset, bytes and crc32 of weights.
_FACTS = struct.Struct("<16s16s64sQQQI")
_CRC32 = struct.Struct("<I")  # of what comes before, without the weights
_SIZE = _FACTS.size + _CRC32.size
_CHUNK = 1 << 20


class Seal(NamedTuple):
    """What a library says of itself.

    Attributes:
        kind: one of ``KINDS``.
        name: of the model in it; "" where it has none.
        size: of the file without the seal, in bytes.
        weights, weights_size, weights_crc32: offset, bytes and checksum of weights that have
            a checksum of their own; none by default.
        crc32: of the rest and of the above.
    """

    kind: str
    size: int
    crc32: int
    name: str = ""
    weights: int = 0
    weights_size: int = 0
    weights_crc32: int = 0


def seal(path: Path, kind: str, name: str = "", weights: Path | None = None) -> None:
    """Appends the seal to a file that is written completely.

    Args:
        name: of the model, at most 64 bytes.
        weights: a file whose content, which ``path`` holds, gets a checksum of its own.

    Raises:
        OSError: the file cannot be read or written.
        ValueError: it does not hold the weights.
    """
    start, length, weights_crc32 = _find(path, weights) if weights else (0, 0, 0)
    size = path.stat().st_size
    words = (_MAGIC, kind.encode(), name.encode())
    facts = _FACTS.pack(*words, size, start, length, weights_crc32)
    crc32 = zlib.crc32(facts, _crc32_around(path, size, start, length))
    with path.open("ab") as file:
        file.write(facts + _CRC32.pack(crc32))


def check_seal(path: Path, kinds: tuple[str, ...] = KINDS, *, weights: bool = False) -> Seal:
    """Checks that a file is what ``seal`` left, to the last byte.

    Args:
        path: the file.
        kinds: those that are wanted.
        weights: check those that have a checksum of their own, too.

    Raises:
        LibraryError: it cannot be read, is truncated, was changed, or is of another kind.
    """
    try:
        found, facts = _read(path)
        if found is None:
            raise LibraryError(
                f"{path}: does not end as a library does: it is truncated, was changed after it "
                "was written, or another version wrote it; copy it again, or build it again"
            )
        around = _crc32_around(path, found.size, found.weights, found.weights_size)
        _compare(path, zlib.crc32(facts, around), found.crc32)
        if weights:
            crc32 = _crc32(path, found.weights, found.weights_size)
            _compare(path, crc32, found.weights_crc32)
    except OSError as error:
        raise LibraryError(f"{path}: cannot be read: {error.strerror}") from error
    if found.kind not in kinds:
        raise LibraryError(
            f"{path}: is a library of kind '{found.kind}', expected {' or '.join(kinds)}; build "
            "it again as such, or use a version that knows it"
        )
    return found


def _compare(path: Path, crc32: int, expected: int) -> None:
    if crc32 != expected:
        raise LibraryError(
            f"{path}: is damaged: its checksum is {crc32:08x}, expected {expected:08x}; copy it "
            "again, or build it again"
        )


def _read(path: Path) -> tuple[Seal | None, bytes]:
    """Reads the seal, and its bytes; None where there is none that fits the size of the file."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END) - _SIZE
        if size < 0:
            return None, b""
        file.seek(size)
        facts = file.read(_FACTS.size)
        (crc32,) = _CRC32.unpack(file.read(_CRC32.size))
    magic, kind, name, sealed, weights, weights_size, weights_crc32 = _FACTS.unpack(facts)
    if magic != _MAGIC or sealed != size:
        return None, facts
    found = Seal(
        kind=_text(kind),
        name=_text(name),
        size=size,
        weights=weights,
        weights_size=weights_size,
        weights_crc32=weights_crc32,
        crc32=crc32,
    )
    return found, facts


def _text(padded: bytes) -> str:
    return padded.rstrip(b"\0").decode(errors="replace")


def _find(path: Path, weights: Path) -> tuple[int, int, int]:
    """The offset, the bytes and the checksum of the content of ``weights`` in ``path``."""
    with _mapped(path) as data, _mapped(weights) as wanted:
        start = data.find(wanted)
        if start < 0:
            raise ValueError(f"{path} does not hold the content of {weights}")
        return start, len(wanted), zlib.crc32(wanted)


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap]:
    import mmap  # here: only who writes libraries needs it

    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        yield data


def _crc32_around(path: Path, size: int, start: int, length: int) -> int:
    """The checksum of what stands before ``start`` and behind the ``length`` bytes there."""
    behind = min(start + length, size)
    return _crc32(path, behind, size - behind, _crc32(path, 0, min(start, size)))


def _crc32(path: Path, start: int, size: int, value: int = 0) -> int:
    for chunk in _chunks(path, start, size):
        value = zlib.crc32(chunk, value)
    return value


def _chunks(path: Path, start: int, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while size > 0:
            chunk = file.read(min(size, _CHUNK))
            if not chunk:
                return
            size -= len(chunk)
            yield chunk
