"""What ``tvm-patdnn build`` wrote, and how it is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tvm_patdnn.layer_report import LayerReport

__all__ = ["Written"]


@dataclass(frozen=True, kw_only=True)
class Written:
    """A library, or a folder, and what is known of it.

    Attributes:
        kind: "standalone" or "vm".
        bytes: of the library, or of all files of the folder.
        files: the library, or the files of the folder; then what belongs to it.
        reason: why it is not standalone where that was not asked for.
        target: as JSON.
        layers: rows of the report.
    """

    kind: str
    bytes: int
    files: tuple[Path, ...]
    reason: str = ""
    target: str
    layers: tuple[LayerReport, ...]

    @classmethod
    def at(
        cls,
        output: Path,
        kind: str,
        target: str,
        layers: Sequence[LayerReport],
        *,
        more: Sequence[Path] = (),
        reason: str = "",
    ) -> Written:
        """Describes what lies at ``output``, and ``more`` files that belong to it."""
        made = sorted(output.iterdir()) if output.is_dir() else [output]
        return cls(
            kind=kind,
            bytes=sum(file.stat().st_size for file in made),
            files=(*made, *more),
            reason=reason,
            target=target,
            layers=tuple(layers),
        )

    def __str__(self) -> str:
        needs = "standalone" if self.kind == "standalone" else "needs TVM to run"
        return f"{self.bytes / 1024:,.0f} KiB, {needs}{self.reason and f' ({self.reason})'}"
