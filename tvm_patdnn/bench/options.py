"""How a comparison is run."""

from __future__ import annotations

from dataclasses import dataclass

from tvm_patdnn.errors import BenchError

__all__ = ["BenchOptions"]


@dataclass(frozen=True, kw_only=True)
class BenchOptions:
    """The settings of a comparison.

    Attributes:
        threads: that may compute, for each system.
        repeats: timed runs of each system, spread over the rounds.
        rounds: how often each system has its turn; ratios are taken within a round, so the
            more rounds, the less a change of the machine's speed matters.
        turn_limit: seconds of a turn after which no other run begins.
        budget: seconds of runs after which a slow system has no other turn.
        build_limit: seconds to convert or to load a model.
        max_error: largest difference from the reference, relative to the largest output.
        max_int8_error: the same of quantised models, in which roundings add up.
        thorough: also try what takes a system long to prepare.
    """

    threads: int
    repeats: int = 60
    rounds: int = 12
    turn_limit: float = 2.0
    budget: float = 30.0
    build_limit: float = 900.0
    max_error: float = 1e-3
    max_int8_error: float = 0.5
    thorough: bool = True

    def __post_init__(self) -> None:
        for name in ("threads", "repeats", "rounds"):
            value = getattr(self, name)
            if value < 1:
                raise BenchError(f"{name}: got {value}, expected at least 1")

    @classmethod
    def quick(cls, *, threads: int, repeats: int | None = None) -> BenchOptions:
        """A first impression: a few turns each."""
        return cls(
            threads=threads,
            repeats=repeats or 12,
            rounds=4,
            turn_limit=1.0,
            budget=6.0,
            thorough=False,
        )

    @property
    def repeats_of_a_turn(self) -> int:
        """Timed runs of one turn."""
        return -(-self.repeats // self.rounds)
