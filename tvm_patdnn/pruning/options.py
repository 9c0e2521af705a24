"""Options of one-shot pruning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, get_args

from tvm_patdnn.errors import PruningError
from tvm_patdnn.sparse.patterns import Pattern

__all__ = ["ConnectivityScope", "FilterGrouping", "PatternChoice", "PruneOptions"]

ConnectivityScope = Literal["layer", "global", "balanced"]
FilterGrouping = Literal["neighbours", "similar"]
PatternChoice = int | Literal["all"] | Sequence[Pattern]


@dataclass(frozen=True, kw_only=True)
class PruneOptions:
    """What to prune, and how much.

    Args:
        patterns: size of the pattern set to mine; ``"all"`` for every pattern of so many
            entries, so that each kernel keeps its own best (56 of 4 entries in 3x3
            kernels, more than fp32 builds have code for); or the set itself. A given set
            decides by its kernel sizes where patterns apply; ``entries`` and
            ``pattern_kernels`` are then unused.
        entries: taps that a mined pattern keeps, the centre included.
        connectivity: kernels before over kernels after; 1.0 for patterns only.
        per_layer: connectivity rates by layer name, instead of ``connectivity``. At
            1.0 a layer keeps all its kernels and still gets patterns. A layer named
            here is pruned even if it is the first, or its weights are a fixed table.
            With wildcards (``"head.*"``) a name stands for all layers that fit and can be
            pruned; full names go first, then the first wildcard that fits.
        connectivity_scope: where kernels compete: in their ``layer``, over all layers
            without a rate of their own (``global``), or ``balanced`` per filter and
            block of input channels.
        filter_block: filters that keep the same kernels with the same patterns, which the
            compiler computes from one list of kernels: faster, but a harder constraint. On
            1x1 layers 2 and 4 are known as 2x1 and 4x1 block sparsity.
        filter_grouping: which filters form a block: ``neighbours``, or ``similar`` ones,
            chosen so that more of the weights' norm stays. The order of the filters stays
            as it is: the compiler finds both.
        first_layer: whether to prune convolutions with no other layer before them.
        connectivity_1x1: rate of 1x1 convolutions; None for ``connectivity``.
        skip_layers: names of layers to leave alone, with wildcards too.
        fully_connected: rate of fully connected layers, in groups of 16 outputs that lose an
            input together; 1.0 leaves them alone.
        pattern_kernels: kernel sizes that get mined patterns. Others get connectivity
            pruning only: the paper defines patterns for 3x3, and the entries to keep
            of a larger kernel are a choice to make per network.

    Raises:
        PruningError: a value is out of its range.
    """

    patterns: PatternChoice = 8
    entries: int = 4
    connectivity: float = 3.6
    per_layer: Mapping[str, float] = field(default_factory=dict)
    connectivity_scope: ConnectivityScope = "layer"
    filter_block: int = 1
    filter_grouping: FilterGrouping = "neighbours"
    first_layer: bool = False
    connectivity_1x1: float | None = None
    skip_layers: Sequence[str] = ()
    fully_connected: float = 1.0
    pattern_kernels: frozenset[tuple[int, int]] = frozenset({(3, 3)})

    def __post_init__(self) -> None:
        """Checks the values."""
        _check_patterns(self.patterns)
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise PruningError(
                    f"{name}={getattr(self, name)!r} is unknown; choose one of {', '.join(choices)}"
                )
        if self.filter_block < 1:
            raise PruningError(f"filter_block={self.filter_block}: expected at least 1 filter")
        if isinstance(self.skip_layers, str):
            raise PruningError(
                f"skip_layers={self.skip_layers!r} is one string; give a list of layer names"
            )
        _check_entries(self)
        _check_rates(self)

    @property
    def rate_1x1(self) -> float:
        """The rate of 1x1 convolutions."""
        return self.connectivity if self.connectivity_1x1 is None else self.connectivity_1x1

    @property
    def pattern_sizes(self) -> frozenset[tuple[int, int]]:
        """The kernel sizes that get patterns."""
        given = self.pattern_set
        return self.pattern_kernels if given is None else frozenset(p.kernel_shape for p in given)

    @property
    def pattern_set(self) -> tuple[Pattern, ...] | None:
        """The given pattern set, None where there is none."""
        return None if isinstance(self.patterns, int | str) else tuple(self.patterns)


_CHOICES = {
    "connectivity_scope": get_args(ConnectivityScope),
    "filter_grouping": get_args(FilterGrouping),
}


def _check_patterns(patterns: PatternChoice) -> None:
    if patterns == "all":
        return
    if isinstance(patterns, int):
        if patterns < 1:
            raise PruningError(f"patterns={patterns}: a pattern set needs at least 1 pattern")
        return
    if not patterns or not all(isinstance(pattern, Pattern) for pattern in patterns):
        raise PruningError(
            f"patterns={patterns!r}: expected a number of patterns to mine, 'all', or a sequence "
            "of Pattern such as [Pattern.from_picture('##./##./...')]"
        )


def _check_entries(options: PruneOptions) -> None:
    sizes = [height * width for height, width in options.pattern_kernels]
    if options.pattern_set is not None or not sizes:
        return
    if not 1 <= options.entries <= min(sizes):
        raise PruningError(
            f"entries={options.entries}: a pattern keeps 1 to {min(sizes)} entries of the "
            "smallest kernel in pattern_kernels"
        )


def _check_rates(options: PruneOptions) -> None:
    rates = {
        "connectivity": options.connectivity,
        "connectivity_1x1": options.rate_1x1,
        "fully_connected": options.fully_connected,
    }
    rates |= {f"per_layer[{name!r}]": rate for name, rate in options.per_layer.items()}
    for where, rate in rates.items():
        if not 1 <= rate < float("inf"):
            raise PruningError(
                f"{where}={rate} is not a rate; expected kernels before over kernels after, "
                "a finite number of at least 1 (1.0 keeps all kernels)"
            )
