"""The last bytes of a library: what it is, and a checksum of all that comes before.

The loader maps a file without reading it, so a truncated or damaged one would crash, or
compute something else. Loaders take no notice of what stands behind a shared library.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tvm_patdnn.errors import LibraryError

__all__ = ["KINDS", "STANDALONE", "VM", "Seal", "check_seal", "seal"]

VM = "vm"  # runs in TVM's virtual machine
STANDALONE = "standalone"  # runs without TVM
KINDS = (VM, STANDALONE)

_MAGIC = b"tvm-patdnn seal\n"
_LAYOUT = struct.Struct("<16s16sQI")  # the magic, the kind, the bytes before it, their crc32
_CHUNK = 1 << 20


@dataclass(frozen=True, kw_only=True)
class Seal:
    """What a library says of itself.

    Attributes:
        kind: one of ``KINDS``.
        size: of the file without the seal, in bytes.
        crc32: of these bytes.
    """

    kind: str
    size: int
    crc32: int


def seal(path: Path, kind: str) -> None:
    """Appends the seal to a file that is written completely.

    Raises:
        OSError: the file cannot be read or written.
    """
    size = path.stat().st_size
    packed = _LAYOUT.pack(_MAGIC, kind.encode(), size, _crc32(path, size))
    with path.open("ab") as file:
        file.write(packed)


def check_seal(path: Path, kinds: tuple[str, ...] = KINDS) -> Seal:
    """Checks that a file is what ``seal`` left, to the last byte.

    Args:
        path: the file.
        kinds: those that are wanted.

    Raises:
        LibraryError: it cannot be read, is truncated, was changed, or is of another kind.
    """
    try:
        found = _read(path)
        if found is None:
            raise LibraryError(
                f"{path}: does not end as a library does: it is truncated, was changed after it "
                "was written, or another version wrote it; copy it again, or build it again"
            )
        crc32 = _crc32(path, found.size)
    except OSError as error:
        raise LibraryError(f"{path}: cannot be read: {error.strerror}") from error
    if crc32 != found.crc32:
        raise LibraryError(
            f"{path}: is damaged: its checksum is {crc32:08x}, expected {found.crc32:08x}; copy "
            "it again, or build it again"
        )
    if found.kind not in kinds:
        raise LibraryError(
            f"{path}: is a library of kind '{found.kind}', expected {' or '.join(kinds)}; build "
            "it again as such, or use a version that knows it"
        )
    return found


def _read(path: Path) -> Seal | None:
    """Reads the seal; None where there is none that fits the size of the file."""
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END) - _LAYOUT.size
        if size < 0:
            return None
        file.seek(size)
        magic, kind, sealed, crc32 = _LAYOUT.unpack(file.read(_LAYOUT.size))
    if magic != _MAGIC or sealed != size:
        return None
    return Seal(kind=kind.rstrip(b"\0").decode(errors="replace"), size=size, crc32=crc32)


def _crc32(path: Path, size: int) -> int:
    value = 0
    for chunk in _chunks(path, size):
        value = zlib.crc32(chunk, value)
    return value


def _chunks(path: Path, size: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        while size > 0:
            chunk = file.read(min(size, _CHUNK))
            if not chunk:
                return
            size -= len(chunk)
            yield chunk
