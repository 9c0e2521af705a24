"""Keeps the epochs of a run in files, to look at while it goes on."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from tvm_patdnn.training.run_state import Row
from tvm_patdnn.whole_file import write_whole

__all__ = ["HistoryFiles"]


class HistoryFiles:
    """``history.jsonl``, ``history.csv`` and, where it is installed, a folder ``tensorboard``.

    Args:
        folder: of the run.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._board: Any = None
        if find_spec("tensorboard") is not None:
            from torch.utils.tensorboard import SummaryWriter

            self._board = SummaryWriter(str(folder / "tensorboard"))

    def write(self, history: Sequence[Row]) -> None:
        """Writes all rows, of which the last is new, whole or not at all."""
        with write_whole(self._folder / "history.jsonl") as partial:
            partial.write_text("".join(f"{json.dumps(row)}\n" for row in history))
        with write_whole(self._folder / "history.csv") as partial:
            names = list(dict.fromkeys(name for row in history for name in row))
            with partial.open("w", newline="") as file:
                table = csv.DictWriter(file, names)
                table.writeheader()
                table.writerows(history)
        if self._board is not None:
            self._add_to_board(history)

    def close(self) -> None:
        """Ends what is open."""
        if self._board is not None:
            self._board.close()

    def _add_to_board(self, history: Sequence[Row]) -> None:
        for name, value in history[-1].items():
            if isinstance(value, float):
                self._board.add_scalar(name, value, len(history))
        self._board.flush()
