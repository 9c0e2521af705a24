"""A comparison as the user asks for it: a model, or each of its layers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import onnx

from tvm_patdnn.bench.contest import run_contest, steps_of_contest
from tvm_patdnn.bench.layers import layer_subjects
from tvm_patdnn.bench.options import BenchOptions
from tvm_patdnn.bench.rows import Row
from tvm_patdnn.bench.subject import Subject
from tvm_patdnn.bench.system import System
from tvm_patdnn.bench.systems import LADDER_SYSTEMS, OURS, SYSTEMS, find_system
from tvm_patdnn.bench.venue import HERE, Venue
from tvm_patdnn.errors import BenchError
from tvm_patdnn.importing.onnx_file import load_onnx
from tvm_patdnn.importing.onnx_shapes import InputShapes, fix_input_shapes

__all__ = ["check_ours", "choose_systems", "compare", "make_subjects", "steps"]

_OURS = {system.name for system in (OURS, *LADDER_SYSTEMS.values()) if system.ours}


def choose_systems(names: Sequence[str] | None) -> list[System]:
    """Returns ours and those named; all for None.

    Raises:
        BenchError: there is no such system.
    """
    systems = [OURS]
    for name in SYSTEMS if names is None else names:
        system = find_system(name)
        if system is None:
            known = ", ".join(name for name in SYSTEMS if name != OURS.name)
            raise BenchError(f"there is no system '{name}' to compare with; expected {known}")
        if system not in systems:
            systems.append(system)
    return systems


def make_subjects(
    model: Path,
    dense: Path | None = None,
    *,
    input_shapes: InputShapes | None = None,
    per_layer: bool = False,
) -> list[Subject]:
    """Reads the models.

    Args:
        model: the pruned one.
        dense: the same network before pruning; None: zeros are numbers to the others.
        input_shapes: sizes of dynamic inputs.
        per_layer: one subject for each distinct convolution, instead of one in all.

    Raises:
        ModelError: a model cannot be read, or a dynamic input has no shape.
        BenchError: the inputs of the two differ, or there is no convolution.
    """
    pruned = fix_input_shapes(load_onnx(model), input_shapes)
    original = fix_input_shapes(load_onnx(dense), input_shapes) if dense is not None else None
    if original is not None and _inputs(original) != _inputs(pruned):
        raise BenchError(
            f"{dense}: has the inputs {_inputs(original)}, {model} has {_inputs(pruned)}; give "
            "the model that was pruned"
        )
    if per_layer:
        return layer_subjects(model.stem, pruned, original)
    return [Subject(model=model.stem, pruned=pruned, dense=original)]


def steps(
    subjects: Sequence[Subject],
    systems: Sequence[System],
    options: BenchOptions,
    venue: Venue = HERE,
) -> int:
    """Returns how often ``compare`` tells its progress."""
    return len(subjects) * steps_of_contest(systems, options, venue)


def compare(
    subjects: Sequence[Subject],
    systems: Sequence[System],
    options: BenchOptions,
    *,
    command: str,
    keep: Callable[[list[Row]], None],
    progress: Callable[[str], None] = lambda phase: None,
    venue: Venue = HERE,
) -> None:
    """Runs the comparisons one after the other.

    Args:
        subjects: what is compared; each is made when its turn comes.
        systems: on what.
        options: how.
        command: goes into the rows.
        keep: given the rows of each subject as soon as they are there.
        progress: told each step as it begins.
        venue: where they run.

    Raises:
        KeyboardInterrupt: the user stopped; ``keep`` was given what was measured by then.
    """
    for number, subject in enumerate(subjects, 1):
        where = f"{number} of {len(subjects)}, " if len(subjects) > 1 else ""
        tell = partial(_tell, progress, where)
        chosen = replace(options, threads=subject.threads or options.threads)
        outcome = run_contest(subject, systems, chosen, command, tell, venue)
        keep(outcome.rows)
        if outcome.interrupted:
            raise KeyboardInterrupt


def check_ours(rows: Sequence[Row]) -> None:
    """Lets a comparison fail if our own library did.

    Raises:
        BenchError: ours did not run, or gave wrong numbers.
    """
    for row in rows:
        if row.system in _OURS and not row.counts:
            raise BenchError(f"{row.title}: {row.system} {row.status.value}: {row.message}")


def _tell(progress: Callable[[str], None], where: str, step: str) -> None:
    progress(where + step)


def _inputs(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    return {
        value.name: tuple(dim.dim_value for dim in value.type.tensor_type.shape.dim)
        for value in model.graph.input
    }
