"""Keeps finished builds, so that the same one again takes no time.

A folder for each, named by ``build_key``, with the files and what is known of them; complete or
not there. ``TVM_PATDNN_CACHE`` says where (default: ``~/.cache/tvm-patdnn/builds``); where it is
empty nothing is kept. What has not been used for longest is removed beyond ``LIMIT``.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from tvm_patdnn.cli.build_key import file_digest
from tvm_patdnn.cli.written import Written
from tvm_patdnn.layer_report import LayerReport
from tvm_patdnn.standalone.place_files import check_place, place_folder, place_header
from tvm_patdnn.whole_file import check_writable, write_whole

__all__ = ["LIMIT", "BuildCache", "Kept", "cache_folder"]

LIMIT = 2 << 30  # bytes of all builds
_FACTS, _MADE = "facts.json", "made"
_ABANDONED = 86400  # seconds after which a half-made folder belongs to no process any more


@dataclass(frozen=True, kw_only=True)
class Kept:
    """A build that was found: what lies at the output now, and the warnings it gave."""

    written: Written
    warnings: tuple[str, ...]


def cache_folder() -> Path | None:
    """Returns where builds are kept; None: nowhere."""
    chosen = os.environ.get("TVM_PATDNN_CACHE")
    if chosen is not None:
        return Path(chosen) if chosen else None
    try:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    except RuntimeError:  # nobody's home
        return None
    return base / "tvm-patdnn" / "builds"


@dataclass(frozen=True, kw_only=True)
class BuildCache:
    """Builds in a folder, which need not exist; what cannot be read or kept there is no error.

    Attributes:
        limit: bytes of all builds.
    """

    folder: Path
    limit: int = LIMIT

    def find(self, key: str, output: Path, name: str) -> Kept | None:
        """Writes a build that is kept to ``output``, as it was written when it was built.

        Args:
            name: of the model, and of the header beside a library.

        Raises:
            BuildError: it cannot be written there.
        """
        entry = self.folder / key
        try:
            facts = json.loads((entry / _FACTS).read_text())
            layers = tuple(LayerReport(**row) for row in facts["layers"])
            whole = facts["sums"] == _sums(entry / _MADE)
            os.utime(entry / _FACTS)
        except (OSError, ValueError, KeyError, TypeError):
            return None
        if not whole:
            shutil.rmtree(entry, ignore_errors=True)
            return None
        more = _place(entry / _MADE, output, name, facts)
        about = (output, facts["kind"], facts["target"], layers)
        written = Written.at(*about, more=more, reason=facts["reason"])
        return Kept(written=written, warnings=tuple(facts["warnings"]))

    def keep(self, key: str, output: Path, written: Written, warnings: Sequence[str]) -> None:
        """Keeps copies of what lies at ``output``."""
        if sum(file.stat().st_size for file in written.files) > self.limit:
            return
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryDirectory(prefix=".", dir=self.folder) as temporary:
                new = Path(temporary) / key
                _fill(new, output, written, warnings)
                os.replace(new, self.folder / key)
            self._trim()
        except OSError:  # the disk is full, it may not be written to, another process was faster
            return

    def _trim(self) -> None:
        total = 0
        for entry in sorted(self._entries(), key=_last_used, reverse=True):
            total += sum(file.stat().st_size for file in (entry / _MADE).iterdir())
            if total > self.limit:
                shutil.rmtree(entry, ignore_errors=True)

    def _entries(self) -> Iterator[Path]:
        for entry in self.folder.iterdir() if self.folder.is_dir() else ():
            if not entry.name.startswith("."):
                yield entry
            elif time.time() - entry.stat().st_mtime > _ABANDONED:
                shutil.rmtree(entry, ignore_errors=True)


def _last_used(entry: Path) -> float:
    try:
        return (entry / _FACTS).stat().st_mtime
    except OSError:
        return 0.0


def _fill(entry: Path, output: Path, written: Written, warnings: Sequence[str]) -> None:
    (entry / _MADE).mkdir(parents=True)
    for file in written.files:
        # The library has a name of its own where each build wants another.
        own = file.suffix and file == output
        shutil.copy(file, entry / _MADE / (f"library{file.suffix}" if own else file.name))
    facts: dict[str, Any] = {
        "kind": written.kind,
        "reason": written.reason,
        "target": written.target,
        "layers": [asdict(layer) for layer in written.layers],
        "folder": output.is_dir(),
        "header": not output.is_dir() and len(written.files) > 1,
        "warnings": list(warnings),
        "sums": _sums(entry / _MADE),
    }
    (entry / _FACTS).write_text(json.dumps(facts))


def _sums(made: Path) -> dict[str, str]:
    return {file.name: file_digest(file) for file in made.iterdir()}


def _place(made: Path, output: Path, name: str, facts: dict[str, Any]) -> list[Path]:
    """Copies the files; returns those that do not lie at ``output`` itself."""
    if facts["folder"]:
        check_place(output, name, header=False)
        place_folder(made, output)
        return []
    if facts["kind"] == "standalone":
        check_place(output, name, header=facts["header"])
    else:
        check_writable(output)
    with write_whole(output) as partial:
        shutil.copy(made / f"library{output.suffix}", partial)
    if not facts["header"]:
        return []
    place_header(made / f"{name}.h", output)
    return [output.with_name(f"{name}.h")]
