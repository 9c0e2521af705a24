"""``tvm-patdnn train``: pretrain, prune, retrain, evaluate, export."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tvm_patdnn.cli.arguments import add_command
from tvm_patdnn.cli.plain_warnings import plain_warnings
from tvm_patdnn.cli.train_arguments import (
    SETTINGS,
    add_train_arguments,
    check_train_arguments,
)
from tvm_patdnn.cli.train_progress import TrainBar, say
from tvm_patdnn.cli.train_report import report_rows, time_rows
from tvm_patdnn.cli.typed_command import resuming, stored

if TYPE_CHECKING:
    from tvm_patdnn.pruning import PruneOptions
    from tvm_patdnn.training.options import PrunerConfig
    from tvm_patdnn.training.rate_choice import RateChooser
    from tvm_patdnn.training.run import TrainingRun
    from tvm_patdnn.training.run_spec import RunSpec

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    """Adds the command."""
    text = "train a network, prune it by patterns and connectivity, and retrain it"
    parser = add_command(commands, "train", text, _run)
    parser.set_defaults(run=partial(_run, parser))
    add_train_arguments(parser)


def _run(parser: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    check_train_arguments(parser, args)
    if args.report:
        return report_rows(args)
    return time_rows(args) if args.time else _train(args)


def _train(args: argparse.Namespace) -> None:
    say(f"loading torch, and the images in {args.data}", quiet=args.quiet)
    from tvm_patdnn.training.history_files import HistoryFiles
    from tvm_patdnn.training.outcome import outcome_row, outcome_text
    from tvm_patdnn.training.outline import outline_text
    from tvm_patdnn.training.rows import append_row
    from tvm_patdnn.training.run import TrainingRun
    from tvm_patdnn.training.run_folder import run_folder

    spec = _spec(args)
    _prepare(args)
    with (
        run_folder(args.output, resume=args.resume, overwrite=args.overwrite),
        TrainBar(len(spec.data.train.labels), quiet=args.quiet) as bar,
        plain_warnings(quiet=args.quiet),
        closing(HistoryFiles(args.output)) as files,
    ):

        def note(row: dict[str, Any]) -> None:
            bar.note(row)
            files.write(run.state.history)

        run = TrainingRun(spec, begin=bar.begin, tick=bar.tick, note=note)
        if args.resume:
            run.resume()
        say(outline_text(run), quiet=args.quiet)
        with _saying_how_to_go_on(run, args):
            run.run()
            _write_results(run, args)
    if args.json:
        append_row(outcome_row(run, stored(args.words)), args.json)
    print(outcome_text(run))
    names = sorted(path.name for path in args.output.iterdir() if not path.name.startswith("."))
    print(f"\nin {args.output}: {', '.join(names)}")


@contextmanager
def _saying_how_to_go_on(run: TrainingRun, args: argparse.Namespace) -> Iterator[None]:
    """Says, where the user stops the run, what is kept of it and which command continues it."""
    try:
        yield
    except KeyboardInterrupt:
        kept, path = len(run.state.history), run.spec.checkpoint
        if path is None or not path.is_file():
            say("nothing is kept, as no epoch is over; the same command begins anew")
        else:
            say(f"{kept} epochs are kept in {path}; go on with: {resuming(args.words)}")
        raise


def _prepare(args: argparse.Namespace) -> None:
    """Finds out before long work whether the results can be written."""
    from tvm_patdnn.plots.plot_file import check_plot
    from tvm_patdnn.whole_file import check_writable

    args.output.mkdir(parents=True, exist_ok=True)
    for path in (args.output / "pruned.onnx", args.dense, args.json):
        if path is not None:
            check_writable(path)
    if args.plots:
        check_plot(args.output / "curves.svg")


def _spec(args: argparse.Namespace) -> RunSpec:
    from tvm_patdnn.training.computing import choose_computing, use_threads
    from tvm_patdnn.training.data import open_data
    from tvm_patdnn.training.options import PrunerConfig
    from tvm_patdnn.training.run_spec import RunSpec
    from tvm_patdnn.training.settings import TrainSettings
    from tvm_patdnn.training.trained_network import RESULT, read_trained_network

    use_threads(args.threads)
    settings = TrainSettings(
        precision=args.precision,
        rewind=args.rewind,
        distill_pruning=args.distill_pruning,
        **{name: getattr(args, name) for name in SETTINGS},
    )
    config = PrunerConfig(
        method=args.method,
        prune=_prune_options(args),
        epochs=settings.prune_epochs,
        update_every=args.update_every,
        rho=args.rho,
        rho_factor=args.rho_factor,
        rho_stages=args.rho_stages,
        restart_duals=args.restart_duals,
        strength=args.strength,
    )
    data = open_data(args.data, image_size=args.image_size, flip=args.flip)
    data = data.limited(args.limit, args.limit_test)
    computing = choose_computing(args.torch_device, args.precision)
    teacher = None
    if args.teacher is not None:
        factory = args.teacher_network or args.network
        teacher = read_trained_network(args.teacher, data, computing.device, factory=factory)
    return RunSpec(
        network=args.network,
        data=data,
        settings=settings,
        pruner=config,
        computing=computing,
        choose_rates=_chooser(args, config, data),
        dense=args.dense or args.output / "dense.pt",
        result=args.output / RESULT,
        checkpoint=args.output / "checkpoint.pt",
        teacher=teacher,
        teacher_scores=args.teacher_scores,
        evaluate_every=args.evaluate_every,
    )


def _prune_options(args: argparse.Namespace) -> PruneOptions:
    from tvm_patdnn.pruning import PruneOptions
    from tvm_patdnn.sparse.patterns import Pattern

    given = [Pattern.from_picture(picture) for picture in args.pattern or ()]
    return PruneOptions(
        patterns=given or args.patterns,
        entries=args.entries,
        connectivity=args.connectivity,
        per_layer=dict(args.rate),
        connectivity_scope=args.scope,
        filter_block=args.filter_block,
        filter_grouping=args.filter_grouping,
        first_layer=args.first_layer,
        connectivity_1x1=args.connectivity_1x1,
        skip_layers=tuple(args.skip),
    )


def _chooser(args: argparse.Namespace, config: PrunerConfig, data: Any) -> RateChooser | None:
    from tvm_patdnn.training.rate_choice import RateChooser, RateGoal

    goal = RateGoal(
        macs=args.target_macs,
        speedup=args.target_speedup,
        target=args.target,
        scan_images=args.scan,
    )
    return RateChooser(goal, config, data) if goal.asked_for else None


def _write_results(run: TrainingRun, args: argparse.Namespace) -> None:
    from tvm_patdnn.training.data.file_images import TEST_SHARE, FileImages

    data = run.spec.data
    notes = {  # as `image_facts` reads them
        "mean": ",".join(f"{value:.4f}" for value in data.mean),
        "std": ",".join(f"{value:.4f}" for value in data.std),
        "classes": ",".join(data.classes),
    }
    if isinstance(data.test, FileImages):
        notes["crop"] = str(TEST_SHARE)
    run.pruner.export_onnx(args.output / "pruned.onnx", run.example[:1], notes)
    if args.plots:
        _draw(run, args.output)


def _draw(run: TrainingRun, folder: Path) -> None:
    from tvm_patdnn.training import plots

    plots.draw_curves(run.state.history, folder / "curves.svg")
    residuals = [row for row in run.pruner.log if "residual" in row]
    if residuals:
        plots.draw_residuals(residuals, folder / "residuals.svg")
    counts = run.pruner.pattern_counts()
    if counts:
        plots.draw_patterns(counts, folder / "patterns.svg")
    chooser = run.spec.choose_rates
    if chooser is not None and chooser.scan:
        plots.draw_sensitivities(chooser.scan, folder / "sensitivities.svg")
