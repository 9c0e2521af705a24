"""A whole run: pretrain, prune, retrain."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from tvm_patdnn.errors import TrainingError
from tvm_patdnn.pruning.plan import plan_layers
from tvm_patdnn.training.checkpoint import check_same, load_checkpoint, save_checkpoint, taking
from tvm_patdnn.training.computing import reproducible
from tvm_patdnn.training.distillation import Teacher
from tvm_patdnn.training.epoch import EpochTrainer, make_optimizer
from tvm_patdnn.training.evaluation import Accuracy, evaluate, settle_batch_norm
from tvm_patdnn.training.layers import describe_convolutions
from tvm_patdnn.training.network_factory import input_channels, make_checked_network
from tvm_patdnn.training.network_file import NetworkFile, halved, load_network, save_network
from tvm_patdnn.training.options import PrunerConfig
from tvm_patdnn.training.phases import Phase, learning_rate, phases
from tvm_patdnn.training.pruner import PatternPruner
from tvm_patdnn.training.rewinding import check_schedule, early_network
from tvm_patdnn.training.run_spec import RunSpec
from tvm_patdnn.training.run_state import Row, RunState
from tvm_patdnn.training.stored_teacher import StoredTeacher

__all__ = ["TrainingRun"]

_SETTLING = 2000  # training images that batch norms are settled with


class TrainingRun:
    """Does the run that ``spec`` describes; the same spec gives the same network.

    Args:
        spec: the run.
        begin: told the phase and the epoch as an epoch begins.
        tick: told the number of images after each step.
        note: given the row of each epoch as it ends.

    Attributes:
        network: as it is now.
        state: how far the run is, and what it found.

    Raises:
        PruningError: an option names a layer that is not there or cannot be pruned.
        TrainingError: see ``make_checked_network``.
    """

    def __init__(
        self,
        spec: RunSpec,
        *,
        begin: Callable[[Phase, int], None] = lambda phase, epoch: None,
        tick: Callable[[int], None] = lambda images: None,
        note: Callable[[Row], None] = lambda row: None,
    ) -> None:
        self.spec = replace(spec, data=spec.data.to(spec.computing.device))
        self._begin, self._tick, self._note = begin, tick, note
        self.network = make_checked_network(
            spec.network, spec.data, seed=spec.settings.seed, device=spec.computing.device
        )
        plan_layers(describe_convolutions(self.network), spec.pruner.prune)  # names are checked
        self.state = RunState(dense_epochs=spec.settings.dense_epochs)
        self._pruner: PatternPruner | None = None
        self._teacher: Teacher | None = None
        self._optimizer_state: dict[str, Any] | None = None

    @property
    def example(self) -> Tensor:
        """Two images of zeros, as the network takes them."""
        shape = (2, input_channels(self.network), *self.spec.data.train.shape[1:])
        return torch.zeros(shape, device=self.spec.computing.device)

    @property
    def pruner(self) -> PatternPruner:
        """The pruner.

        Raises:
            TrainingError: the pruning phase has not begun.
        """
        if self._pruner is None:
            raise TrainingError("nothing is pruned yet: the pruning phase has not begun")
        return self._pruner

    def resume(self) -> bool:
        """Continues from the checkpoint, if there is one; returns whether there is.

        Raises:
            TrainingError: it cannot be read, or is of another run.
        """
        path = self.spec.checkpoint
        if path is None or not path.is_file():
            return False
        stored = load_checkpoint(path, "run")
        with taking(path):
            check_same(path, stored["facts"], self.spec.facts)
            self._load(stored)
        return True

    def run(self) -> None:
        """Does what is left of the run."""
        with reproducible(self.spec.computing.device):
            self._start_from_dense()
            for phase in phases(self.spec.settings)[self.state.phase :]:
                self._enter(phase)
                self._train(phase)
                self._leave(phase)
            self.state.final = self._measure()
            settings = self.spec.settings
            epochs = self.state.dense_epochs + settings.prune_epochs + settings.retrain_epochs
            self._keep(self.spec.result, self.state.final, epochs)

    def _start_from_dense(self) -> None:
        """Takes the dense network from its file, where nothing is trained yet."""
        path, state = self.spec.dense, self.state
        if state.started or path is None or not path.is_file():
            return
        stored = load_network(path)
        check_same(path, stored.facts, self.spec.identity)
        with taking(path):
            self.network.load_state_dict(stored.state)
        state.dense, state.dense_epochs = stored.accuracy, stored.epochs
        state.phase = 1

    def _enter(self, phase: Phase) -> None:
        choose = self.spec.choose_rates
        if phase.name != "prune" or self._pruner is not None:
            return
        check_schedule(self.spec.settings, self.state.dense_epochs)
        config = choose(self.network, self.example) if choose else self.spec.pruner
        if self.spec.settings.distill:
            self._teacher = self._make_teacher()
        self._pruner = self._make_pruner(config)

    def _train(self, phase: Phase) -> None:
        optimizer = make_optimizer(self.network, self.spec.settings)
        if self._optimizer_state is not None:
            optimizer.load_state_dict(self._optimizer_state)
            self._optimizer_state = None
        trainer = self._trainer(phase)
        for epoch in range(self.state.epoch, phase.epochs):
            self._begin(phase, epoch)
            start = time.perf_counter()
            if phase.name == "prune":
                self.pruner.step(epoch)
            loss, top1 = trainer.run(phase, epoch, optimizer)
            seconds = time.perf_counter() - start
            self.state.seconds += seconds
            self.state.epoch = epoch + 1
            self._log(phase, epoch, loss=loss, train_top1=top1, seconds=round(seconds, 3))
            self._save(optimizer)

    def _trainer(self, phase: Phase) -> EpochTrainer:
        return EpochTrainer(
            network=self.network,
            data=self.spec.data,
            settings=self.spec.settings,
            computing=self.spec.computing,
            penalty=self.pruner.penalty if phase.name == "prune" else None,
            teacher=self._teacher if self._is_taught(phase) else None,
            tick=self._tick,
        )

    def _is_taught(self, phase: Phase) -> bool:
        also_pruning = self.spec.settings.distill_pruning
        return phase.name == "retrain" or (phase.name == "prune" and also_pruning)

    def _leave(self, phase: Phase) -> None:
        self.state.phase, self.state.epoch = phase.number + 1, 0
        if phase.name == "dense":
            self.network.load_state_dict(halved(self.network.state_dict()))
            self.state.dense = self._measure()
            self._keep(self.spec.dense, self.state.dense, self.state.dense_epochs)
        if phase.name == "prune":
            self.pruner.finalize()
            self.state.projected = self._measure_settled()
            self._rewind()
        self._save(None)

    def _rewind(self) -> None:
        """Gives what is kept other weights, where that is asked for."""
        if self.spec.settings.rewind is None:
            return
        early = early_network(self.spec)
        self.network.load_state_dict(early.state_dict())
        self.pruner.keeper.apply()

    def _make_teacher(self) -> Teacher:
        given, settings, folder = self.spec.teacher, self.spec.settings, self.spec.teacher_scores
        network = self.network if given is None else given.network
        if folder is None:
            return Teacher(network, settings.distill, settings.temperature)
        run = f"{self.spec.computing.name}, seed {settings.seed}"
        return StoredTeacher(
            network, settings.distill, settings.temperature, folder=folder, run=run
        )

    def _make_pruner(self, config: PrunerConfig) -> PatternPruner:
        config = replace(config, epochs=self.spec.settings.prune_epochs)
        return PatternPruner(self.network, config, example=self.example)

    def _measure(self) -> Accuracy:
        return evaluate(self.network, self.spec.data, self.spec.data.test)

    def _measure_settled(self) -> Accuracy:
        """Measures with batch norms settled, which stay so only if nothing is retrained."""
        before = {name: value.clone() for name, value in self.network.state_dict().items()}
        settle_batch_norm(self.network, self.spec.data, self.spec.data.train.first(_SETTLING, 0))
        accuracy = self._measure()
        if self.spec.settings.retrain_epochs:
            self.network.load_state_dict(before)
        return accuracy

    def _log(self, phase: Phase, epoch: int, **found: float) -> None:
        lr = learning_rate(phase, epoch / phase.epochs, self.spec.settings.warmup)
        row: Row = {"phase": phase.name, "epoch": epoch, "lr": lr, **found}
        if (epoch + 1) % self.spec.evaluate_every == 0 or epoch + 1 == phase.epochs:
            measured = self._measure()
            row |= {"test_top1": measured.top1, "test_loss": measured.loss}
        self.state.history.append(row)
        self._note(row)

    def _keep(self, path: Path | None, accuracy: Accuracy, epochs: int) -> None:
        """Writes the network as it is now."""
        if path is None:
            return
        state = self.network.state_dict()
        facts = self.spec.identity
        save_network(path, NetworkFile(facts=facts, state=state, epochs=epochs, accuracy=accuracy))

    def _save(self, optimizer: Optimizer | None) -> None:
        if self.spec.checkpoint is None:
            return
        pruner, teacher = self._pruner, self._teacher
        save_checkpoint(
            self.spec.checkpoint,
            "run",
            self.spec.facts,
            state=self.state.to_dict(),
            model=self.network.state_dict(),
            optimizer=None if optimizer is None else optimizer.state_dict(),
            pruner=None if pruner is None else pruner.state_dict(),
            rates=None if pruner is None else dict(pruner.config.prune.per_layer),
            teacher=None if teacher is None else teacher.network.state_dict(),
        )

    def _load(self, stored: dict[str, Any]) -> None:
        self.state = RunState.from_dict(stored["state"])
        if stored["teacher"] is not None:
            self._teacher = self._make_teacher()
            self._teacher.network.load_state_dict(stored["teacher"])
        self.network.load_state_dict(stored["model"])
        if stored["pruner"] is not None:
            prune = replace(self.spec.pruner.prune, per_layer=stored["rates"])
            self._pruner = self._make_pruner(replace(self.spec.pruner, prune=prune))
            self._pruner.load_state_dict(stored["pruner"])
        self._optimizer_state = stored["optimizer"]
