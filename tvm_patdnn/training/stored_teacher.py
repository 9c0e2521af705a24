"""A teacher whose outputs are kept: runs that show it the same images compute them once.

The images of an epoch depend on the data, the seed and the epoch, but not on the network that
trains. So runs of one seed that compare ways of pruning ask a teacher for the same outputs.
Each batch is recognised by its images' checksum, so an output is never taken for another.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from torch import Tensor, nn

from tvm_patdnn.training.checkpoint import load_checkpoint, save_checkpoint
from tvm_patdnn.training.distillation import Teacher

__all__ = ["StoredTeacher"]

_KIND = "teacher's outputs"


class StoredTeacher(Teacher):
    """See the module's description.

    Args:
        network, weight, temperature: as of ``Teacher``.
        folder: for the files, one an epoch; made where it is not there.
        run: what the outputs depend on but for the network, the images and the epoch, such
            as the precision; runs with other images should have another.
    """

    repeatable = False

    def __init__(
        self, network: nn.Module, weight: float, temperature: float, *, folder: Path, run: str
    ) -> None:
        super().__init__(network, weight, temperature)
        self._folder, self._run = folder, run
        self._path = folder
        self._stored: dict[str, Tensor] = {}
        self._seen: dict[str, Tensor] = {}

    def begin(self, epoch: str) -> None:
        """Takes the outputs of the epoch from its file, where there is one."""
        self._path = self._folder / f"{self._digest(epoch)}.pt"
        there = self._path.is_file()
        self._stored = load_checkpoint(self._path, _KIND)["scores"] if there else {}
        self._seen = {}

    def end(self) -> None:
        """Writes the outputs of the epoch, where they are not those of the file."""
        if not self._seen.keys() <= self._stored.keys():
            self._folder.mkdir(parents=True, exist_ok=True)
            save_checkpoint(self._path, _KIND, {}, scores=self._seen)

    def wanted(self, images: Tensor) -> Tensor:
        """Returns the scores for a batch: (n, classes)."""
        key = hashlib.sha256(images.cpu().contiguous().numpy().tobytes()).hexdigest()
        stored = self._stored.get(key)
        scores = super().wanted(images) if stored is None else stored.to(images.device)
        self._seen[key] = scores.cpu()
        return scores

    def _digest(self, epoch: str) -> str:
        """Returns what tells teachers, runs and epochs apart: 32 hexadecimal digits."""
        found = hashlib.sha256(f"{self._run}, {epoch}".encode())
        for name, value in self.network.state_dict().items():
            found.update(name.encode())
            found.update(value.cpu().contiguous().numpy().tobytes())
        return found.hexdigest()[:32]
